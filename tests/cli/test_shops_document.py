"""What the file of shops refuses of the settings of the document, with the line."""

import pytest

from consumer.cli.shops_file import parse_shops
from consumer.errors import ConfigurationError

TEXT = """\
connections:
  books:
    data_center: eu
    unique_field: cf_booked_key
shops:
  nl:
    connection: books
    invoice_number: "WEB-{{ number }}"
    custom_fields:
      cf_po: "{{ meta.po }}"
      cf_note: fixed
"""


def test_a_document_with_all_its_settings_is_taken() -> None:
    """The fields sorted, as they are compared."""
    (shop,) = parse_shops(TEXT, name="shops.yaml", environment={}).shops
    assert [(field.api_name, field.value) for field in shop.custom_fields] == [
        ("cf_note", "fixed"),
        ("cf_po", "{{ meta.po }}"),
    ]


@pytest.mark.parametrize(
    ("old", "new", "line", "says"),
    [
        ("cf_note: fixed", "cf_booked_key: mine", 11, "cf_booked_key is the unique field of its connection"),
        ('"WEB-{{ number }}"', "WEB-1", 8, "all invoices would have one number"),
        ('"WEB-{{ number }}"', '"WEB-{{ number"', 8, "is not closed"),
    ],
)
def test_a_document_that_could_not_be_written_is_refused(old: str, new: str, line: int, says: str) -> None:
    """Before it parks every order of the shop, or takes away the guard against a second document."""
    with pytest.raises(ConfigurationError, match=says) as raised:
        parse_shops(TEXT.replace(old, new), name="shops.yaml", environment={})
    assert raised.value.key == f"shops.yaml:{line}"
