"""Several people, a real server, and the rules between them."""
