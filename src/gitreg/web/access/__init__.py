"""Who may do what on a server: tokens, grants, sessions, and how a request is recognised."""
