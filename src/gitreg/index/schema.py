"""The tables of the index.

The index is a function of the branch's first-parent chain. Rows that describe the registry hold over a
span of the chain: from the commit ``since`` (a ``chain.seq``) up to, not including, the commit ``until``;
``OPEN`` there says that they still stand. So one index answers for every commit of the chain, and taking
commits off its end is: delete what began later, open what ended later.
"""

from __future__ import annotations

FORMAT = 3
"""Raised with every change of the tables or of what they hold: an index of another one is made anew."""

OPEN = 2**63 - 1

UNREADABLE, LIVE, GONE = 0, 1, 2
"""``state`` of a manifest: it can't be decoded, it stands, it is a tombstone."""

ROWS = """
CREATE TABLE meta (key TEXT PRIMARY KEY, value) WITHOUT ROWID;

-- Every first-parent commit, oldest first: ``seq`` 1, 2, 3 … is the order of history, times are only told.
CREATE TABLE chain (
    seq INTEGER PRIMARY KEY,
    oid TEXT NOT NULL UNIQUE,
    time INTEGER NOT NULL,           -- committer time, seconds since 1970
    zone INTEGER NOT NULL,           -- its zone, minutes east of UTC
    parents TEXT NOT NULL,           -- hex ids with spaces between them
    author TEXT NOT NULL,
    email TEXT NOT NULL,
    author_time INTEGER NOT NULL,
    author_zone INTEGER NOT NULL,
    committer TEXT NOT NULL,
    committer_email TEXT NOT NULL,
    subject TEXT NOT NULL,
    body TEXT NOT NULL
);

CREATE TABLE settings (since INTEGER NOT NULL, until INTEGER NOT NULL, doc TEXT);

-- model.yaml; ``doc`` is its data as JSON (manifest.encode), NULL where it is unreadable.
CREATE TABLE model (
    row INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    since INTEGER NOT NULL,
    until INTEGER NOT NULL,
    state INTEGER NOT NULL,
    created INTEGER,                 -- milliseconds since 1970, as all times below
    updated INTEGER,                 -- of its own file
    doc TEXT
);
CREATE UNIQUE INDEX model_name ON model (name, since);
CREATE TABLE model_tag (
    row INTEGER NOT NULL, key TEXT NOT NULL, value TEXT NOT NULL, PRIMARY KEY (row, key)
) WITHOUT ROWID;

CREATE TABLE alias (
    name TEXT NOT NULL, alias TEXT NOT NULL, number INTEGER NOT NULL,
    since INTEGER NOT NULL, until INTEGER NOT NULL, PRIMARY KEY (name, alias, since)
) WITHOUT ROWID;

-- versions/N.yaml. ``registered`` is the commit that brought the version, under whatever name of the model.
CREATE TABLE version (
    row INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    number INTEGER NOT NULL,
    since INTEGER NOT NULL,
    until INTEGER NOT NULL,
    state INTEGER NOT NULL,
    registered INTEGER NOT NULL,
    created INTEGER,
    updated INTEGER,
    source TEXT,
    run_id TEXT,
    status TEXT,
    doc TEXT
);
CREATE UNIQUE INDEX version_number ON version (name, number, since);

-- What a version can be found by. ``kind`` and ``key``:
--   tag, param: their key; metric: its key, REAL, or the text 'NaN' (numbers sort before texts);
--   flavor: its name; dataset: name, uri, digest; code: repository, commit;
--   parent: '' (a URI as given), or 'copy' (the source, where that is a version)
CREATE TABLE attribute (
    row INTEGER NOT NULL, kind TEXT NOT NULL, key TEXT NOT NULL, value NOT NULL,
    PRIMARY KEY (row, kind, key, value)
) WITHOUT ROWID;

-- That a version holds a stage; ``at`` is the time that its manifest gives.
CREATE TABLE holding (
    name TEXT NOT NULL, number INTEGER NOT NULL, stage TEXT NOT NULL, at INTEGER NOT NULL,
    since INTEGER NOT NULL, until INTEGER NOT NULL, PRIMARY KEY (name, stage, number, since)
) WITHOUT ROWID;

-- What each commit changed, as domain.compare names it, then the approvals that it brought and the files of
-- rules that it changed; before and after as index.values writes them.
CREATE TABLE event (
    seq INTEGER NOT NULL, place INTEGER NOT NULL, event TEXT NOT NULL, name TEXT NOT NULL, number INTEGER,
    stage TEXT, origin TEXT, field TEXT, before TEXT, after TEXT, PRIMARY KEY (seq, place)
) WITHOUT ROWID;

-- Manifests that a commit changed and that could not be read before or after it.
CREATE TABLE unread (seq INTEGER NOT NULL, path TEXT NOT NULL, PRIMARY KEY (seq, path)) WITHOUT ROWID;
"""

INDEXES = f"""
CREATE INDEX chain_order ON chain (seq, time);
CREATE INDEX model_tag_value ON model_tag (key, value, row);
CREATE INDEX alias_alias ON alias (alias, name);
CREATE INDEX version_updated ON version (updated DESC, name, number DESC)
    WHERE until = {OPEN} AND state = {LIVE};
CREATE INDEX version_created ON version (created DESC, name, number DESC)
    WHERE until = {OPEN} AND state = {LIVE};
CREATE INDEX version_ended ON version (until) WHERE until < {OPEN};
CREATE INDEX version_unreadable ON version (name) WHERE state = {UNREADABLE};
CREATE INDEX model_unreadable ON model (name) WHERE state = {UNREADABLE};
CREATE INDEX version_run ON version (run_id) WHERE run_id IS NOT NULL;
CREATE INDEX attribute_value ON attribute (kind, key, value, row);
CREATE INDEX holding_stage ON holding (stage, until, name, number DESC);
CREATE INDEX event_name ON event (name, seq);
CREATE INDEX event_renamed ON event (name, seq) WHERE event = 'rename';
CREATE INDEX event_rename ON event (after, seq) WHERE event = 'rename';
CREATE INDEX event_approve ON event (name, number, stage) WHERE event = 'approve';
"""
"""Made after the rows where there are many: that takes half the time."""

TABLES = ROWS + INDEXES
