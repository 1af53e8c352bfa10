"""Makes the tests answer the same each time: a mutant is judged by the change, not by the draw of that minute."""


class Steady:
    """A pytest plugin: hypothesis draws the same examples each time, keeps none, and does not make failures small."""

    def pytest_configure(self) -> None:
        """Set the profile: before test modules are imported, as they take the settings of that moment."""
        # Imported no sooner: pytest wants to see hypothesis imported after itself.
        from hypothesis import HealthCheck, Phase, settings  # noqa: PLC0415

        settings.register_profile(
            "mutants",
            derandomize=True,
            database=None,
            deadline=None,
            phases=[Phase.explicit, Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        settings.load_profile("mutants")
