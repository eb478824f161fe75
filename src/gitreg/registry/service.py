"""A registry as services use it: on its own branch, whatever is checked out."""

from __future__ import annotations

import re
from datetime import date

from gitreg.errors import NotARegistry
from gitreg.registry.dates import is_date, not_a_point
from gitreg.registry.store import Branch, Store

# Git's revisions hold searches (``HEAD^{/words}``) and the reflog: a stranger could keep it busy.
_POINT = re.compile(r"\w[\w./%+@-]{0,299}(?:~[0-9]{1,6}|\^)?")


class ServiceStore(Store):
    """Reads and writes the registry's own branch, for the MLflow store and the server.

    Where another branch is checked out, commits go to the registry's all the same and the work tree
    stays as it is.
    """

    def commit_for(self, at: str | date) -> str:
        """As of ``Store``; a revision is an id or the name of a branch or tag, and at most ``~N`` of it."""
        if isinstance(at, str) and not is_date(at) and not _POINT.fullmatch(at):
            raise not_a_point(at[:300])
        return super().commit_for(at)

    def head(self) -> str:
        """Id of the newest commit of the registry's own branch."""
        found = self.repository.head()
        if found.oid is None:
            raise NotARegistry("there is no commit yet", hint="gitreg init")
        own = self._branch_in(found.oid)
        return found.oid if found.branch == own else self.repository.refs.read(own) or found.oid

    def read_branch(self) -> str:
        """Full name of the registry's own branch."""
        return self._branch_in(self.head())

    def branch(self) -> Branch:
        """The registry's own branch."""
        head = self.head()
        own = self._branch_in(head)
        return Branch(name=own.removeprefix("refs/heads/"), commit=head, official=True)
