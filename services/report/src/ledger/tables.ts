/**
 * The ledger's tables. `events` holds every event once, whole; `steps` and `marks` repeat some columns of it so that a
 * curve of 173,385 micro-steps is one pass over a narrow table. Losses are sums with counts: nothing is divided in here.
 * Every row ends with a checksum over its other columns: SQLite checks the shape of its file, not the values in it. What a
 * checksum cannot tell, since whoever changes a row can write its checksum too, or take the row away, `links` tells.
 */
export const tablesVersion = 3;

/** The columns that a row's checksum covers, in their order; it does not cover digests, which the chain of links does. */
export const checkedColumns = {
  events: ["experiment", "kind", "attempt", "nonce", "number", "detail", "time_ms", "payload"],
  contradictions: ["experiment", "kind", "attempt", "nonce", "number", "detail", "payload"],
  marks: ["experiment", "attempt", "nonce", "resumed_from"],
  claims: ["experiment", "attempt", "nonce", "resumes_from"],
  positions: ["stream", "sequence"],
  steps: [
    "experiment",
    "micro_step",
    "attempt",
    "nonce",
    "optimizer_step",
    "epoch",
    "time_ms",
    "loss_nats",
    "loss_tokens",
    "learning_rate",
    "gradient_norm",
    "clip_scale",
    "tokens_seen",
    "tokens",
    "positions",
    "data_ms",
    "forward_backward_ms",
    "optimizer_ms",
    "other_ms",
    "total_ms",
  ],
} as const;

export type CheckedTable = keyof typeof checkedColumns;

export const tables = `
  CREATE TABLE ledger (
    -- Made with the file. The durable consumers carry it in their names, so that a new file is filled from the beginning.
    id TEXT PRIMARY KEY
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE events (
    -- Grows with every insertion and is never given twice: what has changed since a reader last looked is above it.
    position INTEGER PRIMARY KEY AUTOINCREMENT,
    experiment TEXT NOT NULL,
    kind TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    nonce TEXT NOT NULL,
    number INTEGER NOT NULL,
    detail TEXT NOT NULL,
    time_ms INTEGER NOT NULL,
    payload TEXT NOT NULL,
    checksum INTEGER NOT NULL,
    -- Of identity and payload, as in the chains.
    digest BLOB NOT NULL,
    UNIQUE (experiment, kind, attempt, number, nonce, detail)
  ) STRICT;

  -- The list of experiments and their states, without a look at their millions of steps.
  CREATE INDEX transitions ON events (experiment, number, time_ms) WHERE kind = 'state';

  -- Events that used the identity of another with another content. The later one is in \`events\`.
  CREATE TABLE contradictions (
    experiment TEXT NOT NULL,
    kind TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    nonce TEXT NOT NULL,
    number INTEGER NOT NULL,
    detail TEXT NOT NULL,
    payload TEXT NOT NULL,
    checksum INTEGER NOT NULL,
    digest BLOB NOT NULL,
    PRIMARY KEY (experiment, kind, attempt, nonce, number, detail, payload)
  ) STRICT, WITHOUT ROWID;

  -- Every mark that an event of an attempt carried, and where that attempt said that it goes on from.
  CREATE TABLE marks (
    experiment TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    nonce TEXT NOT NULL,
    resumed_from INTEGER,
    checksum INTEGER NOT NULL,
    PRIMARY KEY (experiment, attempt, nonce)
  ) STRICT, WITHOUT ROWID;

  -- Copies of the claims in the blob store: who really holds the number of an attempt.
  CREATE TABLE claims (
    experiment TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    nonce TEXT NOT NULL,
    resumes_from INTEGER NOT NULL,
    checksum INTEGER NOT NULL,
    digest BLOB NOT NULL,
    PRIMARY KEY (experiment, attempt)
  ) STRICT, WITHOUT ROWID;

  -- The chain of each experiment, in order of arrival: rows are only ever added. An event that another one replaced keeps its link.
  CREATE TABLE links (
    experiment TEXT NOT NULL,
    -- From 1, without a gap.
    ordinal INTEGER NOT NULL,
    -- Its name, so that one that was taken away can be named.
    event TEXT NOT NULL,
    digest BLOB NOT NULL,
    -- Of the link before and this digest: a checksum over all that came before.
    head BLOB NOT NULL,
    PRIMARY KEY (experiment, ordinal)
  ) STRICT, WITHOUT ROWID;

  -- What must have a link, each.
  CREATE VIEW entries AS
    SELECT experiment, digest, kind, attempt, nonce, number, detail FROM events
    UNION ALL SELECT experiment, digest, kind, attempt, nonce, number, detail FROM contradictions
    UNION ALL SELECT experiment, digest, 'claim', attempt, nonce, resumes_from, '' FROM claims;

  -- The mark that counts for each attempt: the claim's; without one the first in the order of texts, whichever came first.
  CREATE VIEW counted AS
    SELECT m.experiment, m.attempt, COALESCE(c.nonce, MIN(m.nonce)) AS nonce
    FROM marks AS m LEFT JOIN claims AS c ON c.experiment = m.experiment AND c.attempt = m.attempt
    GROUP BY m.experiment, m.attempt;

  -- Where each attempt began, by its claim and by its own word.
  CREATE VIEW resumptions AS
    SELECT experiment, attempt, resumes_from AS resumed_from FROM claims
    UNION
    SELECT experiment, attempt, resumed_from FROM marks
    WHERE resumed_from IS NOT NULL AND (experiment, attempt, nonce) IN (SELECT * FROM counted);

  -- Up to where each stream is in here for certain.
  CREATE TABLE positions (
    stream TEXT PRIMARY KEY,
    sequence INTEGER NOT NULL,
    checksum INTEGER NOT NULL
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE steps (
    experiment TEXT NOT NULL,
    micro_step INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
    nonce TEXT NOT NULL,
    optimizer_step INTEGER NOT NULL,
    epoch INTEGER NOT NULL,
    time_ms INTEGER NOT NULL,
    loss_nats REAL NOT NULL,
    loss_tokens INTEGER NOT NULL,
    learning_rate REAL NOT NULL,
    gradient_norm REAL,
    clip_scale REAL,
    tokens_seen INTEGER NOT NULL,
    tokens INTEGER NOT NULL,
    positions INTEGER NOT NULL,
    data_ms REAL NOT NULL,
    forward_backward_ms REAL NOT NULL,
    optimizer_ms REAL NOT NULL,
    other_ms REAL NOT NULL,
    total_ms REAL NOT NULL,
    checksum INTEGER NOT NULL,
    PRIMARY KEY (experiment, micro_step, attempt, nonce)
  ) STRICT, WITHOUT ROWID;

  PRAGMA user_version = ${tablesVersion};
`;
