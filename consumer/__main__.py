"""The `booked` command."""

from consumer.cli.app import app


def main() -> None:
    """Run the command."""
    app()


if __name__ == "__main__":
    main()
