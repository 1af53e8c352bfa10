-- What a person has asked of an order (consumer/domain/states.py, Ask), who, when and with what note; and what came of
-- the last thing that was asked, in words. `asked` is null again once a booking has come to a conclusion.
ALTER TABLE orders ADD COLUMN asked text CHECK (asked IN ('generate', 'update', 'delete', 'delete_sent'));
ALTER TABLE orders ADD COLUMN asked_by text NOT NULL DEFAULT '';
ALTER TABLE orders ADD COLUMN asked_at timestamptz;
ALTER TABLE orders ADD COLUMN asked_note text NOT NULL DEFAULT '';
ALTER TABLE orders ADD COLUMN answer text NOT NULL DEFAULT '';
