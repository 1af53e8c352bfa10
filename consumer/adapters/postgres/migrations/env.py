"""What Alembic runs: the migrations, on the connection that migrate() has opened, in its transaction."""

from alembic import context


def run() -> None:
    """Run what is missing, all in the one transaction."""
    context.configure(connection=context.config.attributes["connection"], transaction_per_migration=False)
    with context.begin_transaction():
        context.run_migrations()


run()
