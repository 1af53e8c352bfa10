"""Kafka's own jars, from Maven Central through jgo: downloaded once, checked against known hashes, then from the cache.

jgo parts the jars into a class path and a module path; the broker's classes are found only if both are on the class
path. ``slf4j-simple`` writes the broker's warnings to its standard error and so into our log; ``log4j-core`` beside
Kafka would lower the version of ``kafka-clients``, and the broker would not start.
"""

import hashlib
from collections.abc import Sequence
from pathlib import Path

import jgo
from jgo.config import GlobalSettings
from jgo.maven import PythonResolver

from sandbox.errors import SandboxError
from sandbox.folders import exclusive
from sandbox.progress import Narrator

KAFKA_VERSION = "4.1.0"
ENDPOINT = f"org.apache.kafka:kafka_2.13:{KAFKA_VERSION}+org.slf4j:slf4j-simple:1.7.36"
HASHES_FILE = Path(__file__).with_name("kafka_jars.sha256")
CHECKED_NAME = "booked-checked"


def kafka_jars(narrator: Narrator) -> list[Path]:
    """The jars to put on the broker's class path; blocks, downloads 45 MB the first time on a machine.

    Raises `SandboxError` where they cannot be downloaded or are not, byte for byte, those we know.
    """
    cache = Path(GlobalSettings.load().cache_dir)
    # Two sandboxes that start for the first time together would write the same files.
    with exclusive(cache / "booked-kafka.lock"):
        return _build(narrator)


def _build(narrator: Narrator) -> list[Path]:
    resolver = PythonResolver(progress_callback=narrator.download)
    try:
        environment = jgo.build(ENDPOINT, resolver=resolver)
    except (OSError, RuntimeError) as error:
        # requests' errors are OSErrors; jgo says "not found in remote repositories" by a RuntimeError.
        raise SandboxError(
            f"Kafka {KAFKA_VERSION} cannot be downloaded from Maven Central: {error}. Check the network (where the "
            "machine has certificates of its own, REQUESTS_CA_BUNDLE must name them), or use SANDBOX=docker, or a "
            "broker of yours by BOOKED_KAFKA_SERVERS."
        ) from error
    jars = sorted([*environment.class_path_jars, *environment.module_path_jars])
    check_once(jars, HASHES_FILE, environment.path / CHECKED_NAME)
    return jars


def check_once(jars: Sequence[Path], hashes_file: Path, marker: Path) -> None:
    """Check the jars against the hashes unless the marker says that these very hashes were met before."""
    expected_text = hashes_file.read_text()
    if marker.exists() and marker.read_text() == expected_text:
        return
    check(jars, expected_text)
    marker.write_text(expected_text)


def check(jars: Sequence[Path], expected_text: str) -> None:
    """Raise `SandboxError` unless the jars are exactly those of ``expected_text`` (lines of SHA-256 and file name)."""
    expected = {name: digest for digest, name in (line.split() for line in expected_text.splitlines())}
    found = {jar.name: hashlib.sha256(jar.read_bytes()).hexdigest() for jar in jars}
    wrong = sorted(name for name in expected.keys() | found.keys() if expected.get(name) != found.get(name))
    if wrong:
        raise SandboxError(
            f"of Kafka's jars {', '.join(wrong)} are not those that {HASHES_FILE.name} lists; delete them from "
            f"{jars[0].parent if jars else 'the cache'} and from ~/.m2, and start again"
        )
