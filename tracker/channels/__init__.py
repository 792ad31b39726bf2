"""How a wearer is told something: on the desktop, by sound, in a terminal, on the leg, or on the phone."""
