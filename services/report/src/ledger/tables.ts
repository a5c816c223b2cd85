/**
 * The ledger's tables. `events` holds every event once, whole; `steps` and `attempts` repeat some columns of it so that a
 * curve of 173,385 micro-steps is one pass over a narrow table. Losses are sums with counts: nothing is divided in here.
 */
export const tablesVersion = 1;

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
    number INTEGER NOT NULL,
    detail TEXT NOT NULL,
    time_ms INTEGER NOT NULL,
    payload TEXT NOT NULL,
    UNIQUE (experiment, kind, attempt, number, detail)
  ) STRICT;

  -- The list of experiments and their states, without a look at their millions of steps.
  CREATE INDEX transitions ON events (experiment, number, time_ms) WHERE kind = 'state';

  -- Events that used the identity of another with another content. The later one is in \`events\`.
  CREATE TABLE contradictions (
    experiment TEXT NOT NULL,
    kind TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    number INTEGER NOT NULL,
    detail TEXT NOT NULL,
    payload TEXT NOT NULL,
    PRIMARY KEY (experiment, kind, attempt, number, detail, payload)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE attempts (
    experiment TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    resumed_from INTEGER NOT NULL,
    PRIMARY KEY (experiment, attempt)
  ) STRICT, WITHOUT ROWID;

  CREATE TABLE steps (
    experiment TEXT NOT NULL,
    micro_step INTEGER NOT NULL,
    attempt INTEGER NOT NULL,
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
    PRIMARY KEY (experiment, micro_step, attempt)
  ) STRICT, WITHOUT ROWID;

  PRAGMA user_version = ${tablesVersion};
`;
