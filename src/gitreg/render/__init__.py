"""Values → text: what people and programs read. Knows no terminal and no file."""
