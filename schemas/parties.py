"""Who bought, and where to: customer and addresses of an order."""

from pydantic import Field

from schemas.fields import Country, Flag, Name, Part, Word


class Address(Part):
    """A postal address. Every field may be left out."""

    name: Name | None = Field(None, description="Who receives it: a person's full name.")
    company: Name | None = Field(None, description="The company's name, where one receives it.")
    street: Name | None = Field(None, description="Street, with the house number unless that has its own field.")
    house_number: Word | None = Field(None, description="House number and its addition, where the shop keeps it apart.")
    street2: Name | None = Field(None, description="Second address line: building, floor, c/o.")
    postal_code: Word | None = Field(None, description="Postal code, as written in that country.")
    city: Name | None = Field(None, description="City or town.")
    state: Name | None = Field(None, description="State, province or region: name or code.")
    country: Country | None = Field(None, description="ISO 3166-1, two letters: DE.")
    phone: Word | None = Field(None, description="Telephone number at this address.")


class Customer(Part):
    """Who bought. Every field may be left out: a guest."""

    id: Word | None = Field(None, description="The shop's own id of the customer; leave it out for a guest.")
    email: Name | None = Field(None, description="E-mail address; the first thing a customer is recognised by.")
    name: Name | None = Field(None, description="Full name, where the shop does not keep first and last name apart.")
    first_name: Name | None = Field(None, description="First name.")
    last_name: Name | None = Field(None, description="Last name.")
    company: Name | None = Field(None, description="Name of the company that buys; its presence makes it a business.")
    phone: Word | None = Field(None, description="Telephone number.")
    tax_number: Word | None = Field(None, description="VAT or tax number, with its country prefix: NL123456789B01.")
    tax_exempt: Flag | None = Field(None, description="True when no tax is charged to this customer.")
    reverse_charge: Flag | None = Field(None, description="True when the customer owes the VAT (reverse charge).")
    language: Word | None = Field(None, description="Language tag (BCP 47): de, pt-BR.")
