-- A grid of takes over one or two settings, of which each cell is a job.
CREATE TABLE scouts (
    scout TEXT PRIMARY KEY,
    asked_by TEXT NOT NULL,
    created TEXT NOT NULL,
    share REAL NOT NULL, -- of the steps that a cell runs before it waits to be judged
    axes TEXT NOT NULL -- JSON: [{"setting": "seed", "values": [1, 2]}, ...], columns first
);

CREATE TABLE jobs (
    job TEXT PRIMARY KEY,
    shot TEXT NOT NULL REFERENCES shots (shot),
    seed INTEGER NOT NULL,
    seed_given INTEGER NOT NULL,
    asked_by TEXT NOT NULL,
    created TEXT NOT NULL,
    place REAL NOT NULL, -- the waiting job with the lowest one runs next
    state TEXT NOT NULL CHECK (state IN ('waiting', 'running', 'paused', 'done', 'failed', 'cancelled')),
    wish TEXT CHECK (wish IN ('cancel', 'pause')), -- asked of a running job by another process
    path TEXT, -- where its take goes, below the library; chosen when it first runs
    stop_step INTEGER, -- it pauses itself there
    scout TEXT REFERENCES scouts (scout),
    cell_x INTEGER,
    cell_y INTEGER,
    step INTEGER NOT NULL DEFAULT 0,
    steps INTEGER NOT NULL,
    saved_step INTEGER NOT NULL DEFAULT 0, -- where it goes on after a crash
    deaths INTEGER NOT NULL DEFAULT 0, -- of its worker, since it last saved anything new
    death_step INTEGER NOT NULL DEFAULT 0,
    error TEXT, -- StudioError.to_dict(), JSON
    notes TEXT NOT NULL, -- JSON list
    ended TEXT
);

CREATE INDEX jobs_by_place ON jobs (state, place);
CREATE INDEX jobs_by_scout ON jobs (scout);
CREATE INDEX jobs_in_line ON jobs (place);
