"""The comparison of a period's orders with the ledger's documents: figures, findings, months. Pure."""
