"""Hosts come from a closed list; the sandbox's address is the one exception, and is private."""

import pytest

from consumer.adapters.zoho.data_centers import ZOHO_DATA_CENTERS, DataCenters
from consumer.errors import ConfigurationError


def test_the_list_of_hosts() -> None:
    """Written by hand from Zoho's pages; China and Canada are the ones that break the pattern."""
    assert {name: (center.accounts, center.api) for name, center in ZOHO_DATA_CENTERS.items()} == {
        "us": ("https://accounts.zoho.com", "https://www.zohoapis.com"),
        "eu": ("https://accounts.zoho.eu", "https://www.zohoapis.eu"),
        "in": ("https://accounts.zoho.in", "https://www.zohoapis.in"),
        "au": ("https://accounts.zoho.com.au", "https://www.zohoapis.com.au"),
        "jp": ("https://accounts.zoho.jp", "https://www.zohoapis.jp"),
        "ca": ("https://accounts.zohocloud.ca", "https://www.zohoapis.ca"),
        "cn": ("https://accounts.zoho.com.cn", "https://www.zohoapis.com.cn"),
        "sa": ("https://accounts.zoho.sa", "https://www.zohoapis.sa"),
        "uk": ("https://accounts.zoho.uk", "https://www.zohoapis.uk"),
    }


@pytest.mark.parametrize("name", ["", "xx", "EU", "https://www.zohoapis.eu", "sandbox", "eu.evil.example"])
def test_an_unknown_data_centre_is_a_mistake_in_the_settings(name: str) -> None:
    """Also the sandbox, where its address was not given."""
    with pytest.raises(ConfigurationError, match="data_center"):
        DataCenters.make().get(name)


@pytest.mark.parametrize(
    ("url", "origin"),
    [
        ("http://127.0.0.1:8123", "http://127.0.0.1:8123"),
        ("http://localhost:8123/", "http://localhost:8123"),
        ("http://[::1]:8123", "http://[::1]:8123"),
        ("https://10.1.2.3", "https://10.1.2.3"),
        ("http://192.168.7.7:1", "http://192.168.7.7:1"),
    ],
)
def test_the_sandbox_is_at_a_private_address(url: str, origin: str) -> None:
    """One origin plays all hosts."""
    center = DataCenters.make(sandbox_url=url, environment="test").get("sandbox")
    assert (center.accounts, center.api, center.app) == (origin, origin, origin)


@pytest.mark.parametrize(
    "url",
    [
        "http://8.8.8.8",
        "http://example.com",
        "http://localhost.evil.example",
        "http://127.0.0.1.evil.example",
        "http://0.0.0.0:1",
        "http://169.254.169.254",
        "http://user:secret@127.0.0.1",
        "http://127.0.0.1/path",
        "http://127.0.0.1?query",
        "ftp://127.0.0.1",
        "127.0.0.1:8123",
        "http://[::1",
        "http://127.0.0.1:99999",
        "http://2130706433",
    ],
)
def test_other_addresses_are_refused(url: str) -> None:
    """Public ones, names, the cloud's metadata service, and what hides an address within another."""
    with pytest.raises(ConfigurationError, match="BOOKED_SANDBOX_LEDGER_URL"):
        DataCenters.make(sandbox_url=url)


@pytest.mark.parametrize("environment", ["production", "Production", " production "])
def test_there_is_no_sandbox_in_production(environment: str) -> None:
    """A stand-in must never take the orders of a real shop."""
    with pytest.raises(ConfigurationError, match="production"):
        DataCenters.make(sandbox_url="http://127.0.0.1:1", environment=environment)
    assert "sandbox" not in DataCenters.make(sandbox_url=None, environment=environment).by_name
