"""A Postgres with TLS that asks one of its users for a certificate: not the sandbox's own, which lacks OpenSSL."""

import shutil
from pathlib import Path

from sandbox.ports import LOOPBACK
from tests.connections.authority import Authority
from tests.connections.other_versions import OtherPostgres

MAJOR = 15
CERTIFIED = "certified"  # comes in by a certificate of this name, and by nothing else
HBA = f"""\
hostssl   all  {CERTIFIED}  all  cert
hostnossl all  {CERTIFIED}  all  reject
host      all  all          all  scram-sha-256
local     all  all               scram-sha-256
"""


class SecuredPostgres(OtherPostgres):
    """``hosts`` are the names and addresses in its certificate."""

    def __init__(self, *, folder: Path, authority: Authority, hosts: tuple[str, ...] = (LOOPBACK,)) -> None:
        super().__init__(folder=folder, major=MAJOR)
        self._authority = authority
        self._certified = authority.certify("postgres", hosts=hosts)

    async def _initdb(self, programs: Path, data: Path) -> None:
        await super()._initdb(programs, data)
        for source, name in (
            (self._certified.certificate, "server.crt"),
            (self._certified.key, "server.key"),
            (self._authority.file, "root.crt"),
        ):
            shutil.copy(source, data / name)
            self._own(data / name)
        (data / "pg_hba.conf").write_text(HBA)

    def _options(self) -> list[str]:
        return [*super()._options(), "-c", "ssl=on", "-c", "ssl_ca_file=root.crt"]
