"""How every connection and every shop stands: see 0009_stands.sql."""

from pathlib import Path

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Run the SQL file as it is, in the transaction that Alembic has begun."""
    script = Path(__file__).with_suffix(".sql").read_text(encoding="utf-8")
    connection = op.get_bind().connection.dbapi_connection
    if connection is None:
        raise RuntimeError("Alembic has no connection to the database")
    connection.run_async(lambda driver: driver.execute(script))
