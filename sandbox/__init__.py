"""Everything Booked needs around it on one machine: a broker, a database, a ledger stand-in and a demo shop."""
