"""The addresses and persons of a contact, each with calls of their own."""

from typing import Any

from sandbox.zoho import checks
from sandbox.zoho.calls import Answer, Call, missing
from sandbox.zoho.contact_fields import ADDRESS, blank_address, choose_primary, copy_primary, read_person
from sandbox.zoho.contacts import known_contact, save_contact
from sandbox.zoho.store import Document, Search


def list_addresses(call: Call) -> Answer:
    """GET /contacts/{contact_id}/address: billing, shipping, and the others."""
    body = known_contact(call).body
    addresses = [body["billing_address"], body["shipping_address"], *body["addresses"]]
    return Answer(body={"code": 0, "message": "success", "addresses": addresses})


def add_address(call: Call) -> Answer:
    """POST /contacts/{contact_id}/address: one more address; its id can be given to invoices."""
    document = known_contact(call)
    address = blank_address(call) | checks.texts(call, call.mapping(), ADDRESS)
    document.body["addresses"].append(address)
    save_contact(call, document)
    return Answer(body={"code": 0, "message": "The address has been added.", "address_info": address})


def edit_address(call: Call) -> Answer:
    """PUT /contacts/{contact_id}/address/{address_id}."""
    document = known_contact(call)
    address = _address(call, document)
    address |= checks.texts(call, call.mapping(), ADDRESS)
    save_contact(call, document)
    return Answer(body={"code": 0, "message": "The address has been updated.", "address_info": address})


def delete_address(call: Call) -> Answer:
    """DELETE /contacts/{contact_id}/address/{address_id}: only the additional ones."""
    document = known_contact(call)
    address = _address(call, document)
    if address not in document.body["addresses"]:
        raise missing(call, "The additional address")
    document.body["addresses"].remove(address)
    save_contact(call, document)
    return Answer(body={"code": 0, "message": "The address has been deleted."})


def mark_billing(call: Call) -> Answer:
    """POST …/address/{address_id}/markasbilling."""
    return _mark(call, "billing_address")


def mark_shipping(call: Call) -> Answer:
    """POST …/address/{address_id}/markasshipping."""
    return _mark(call, "shipping_address")


def _mark(call: Call, name: str) -> Answer:
    document = known_contact(call)
    chosen = _address(call, document)
    others = [one for one in document.body["addresses"] if one is not chosen]
    document.body["addresses"] = [*others, document.body[name]] if chosen is not document.body[name] else others
    document.body[name] = chosen
    save_contact(call, document)
    return Answer(body={"code": 0, "message": "The address has been changed."})


def _address(call: Call, document: Document) -> dict[str, Any]:
    body = document.body
    for address in (body["billing_address"], body["shipping_address"], *body["addresses"]):
        if address["address_id"] == call.names["address_id"]:
            found: dict[str, Any] = address
            return found
    raise missing(call, "The address")


def list_persons(call: Call) -> Answer:
    """GET /contacts/{contact_id}/contactpersons."""
    persons = known_contact(call).body["persons"]
    return Answer(body={"code": 0, "message": "success", "contact_persons": persons})


def create_person(call: Call) -> Answer:
    """POST /contacts/contactpersons with the contact's id in the body."""
    given = call.mapping()
    document = known_contact(call, checks.text(call, given, "contact_id"))
    person = read_person(call, given, None)
    document.body["persons"].append(person)
    _save(call, document)
    return Answer(body={"code": 0, "message": "The contact person has been created.", "contact_person": person})


def get_person(call: Call) -> Answer:
    """GET /contacts/contactpersons/{contactperson_id}."""
    document, person = _person(call)
    shown = person | {"contact_id": document.id}
    return Answer(body={"code": 0, "message": "success", "contact_person": shown})


def update_person(call: Call) -> Answer:
    """PUT /contacts/contactpersons/{contactperson_id}."""
    document, person = _person(call)
    person |= read_person(call, call.mapping(), person)
    _save(call, document)
    return Answer(body={"code": 0, "message": "The contact person has been updated.", "contact_person": person})


def delete_person(call: Call) -> Answer:
    """DELETE /contacts/contactpersons/{contactperson_id}."""
    document, person = _person(call)
    document.body["persons"].remove(person)
    _save(call, document)
    return Answer(body={"code": 0, "message": "The contact person has been deleted."})


def mark_primary(call: Call) -> Answer:
    """POST /contacts/contactpersons/{contactperson_id}/primary."""
    document, person = _person(call)
    for one in document.body["persons"]:
        one["is_primary_contact"] = one is person
    _save(call, document)
    return Answer(body={"code": 0, "message": "The contact person is the primary contact now."})


def _save(call: Call, document: Document) -> None:
    choose_primary(document.body["persons"])
    copy_primary(document.body)
    save_contact(call, document)


def _person(call: Call) -> tuple[Document, dict[str, Any]]:
    """Find a person by id alone: the contact is not named in these addresses."""
    id_ = call.names["contactperson_id"]
    search = Search(conditions=["instr(body, ?) > 0"], values=[id_])
    for document in call.store.find("contact", call.organization.organization_id, search):
        for person in document.body["persons"]:
            if person["contact_person_id"] == id_:
                return document, person
    raise missing(call, "The contact person")
