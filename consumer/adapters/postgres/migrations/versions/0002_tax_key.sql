-- A contact's VAT number as a key (consumer/domain/tax_numbers.py), so that customers are found by it. It is known of
-- contacts that were read whole; for those of before it comes with the next time they are read or changed.
ALTER TABLE contacts ADD COLUMN tax_key text NOT NULL DEFAULT '';
CREATE INDEX contacts_by_tax ON contacts (connection_id, tax_key) WHERE tax_key <> '';
