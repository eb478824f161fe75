"""Real Git servers on loopback, each in a folder of its own and under the user who runs the tests.

Nothing of the machine is touched: no account, no service, no file outside the folder that is given. The
hooks of a server run gitreg from the checkout, and a checkout may lie where no other account can read
(``/root``); so there is none: sshd lets the same user in, with another ``HOME``. As a side effect this works
without being root, too.
"""
