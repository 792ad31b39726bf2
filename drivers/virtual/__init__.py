"""The peripheral side of each protocol, written from its sheet, sharing no code with the decoder."""
