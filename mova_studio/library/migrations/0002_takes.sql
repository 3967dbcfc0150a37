-- What is known of every take. The mp4 files are the takes; all of this but stars, tags and votes can be read from them.
CREATE TABLE takes (
    take TEXT PRIMARY KEY,
    shot TEXT NOT NULL REFERENCES shots (shot),
    seed INTEGER NOT NULL,
    path TEXT UNIQUE, -- posix, below the library's folder; NULL where another take's file has the place now
    home TEXT NOT NULL, -- its path outside the trash
    width INTEGER NOT NULL,
    height INTEGER NOT NULL,
    num_frames INTEGER NOT NULL,
    frame_rate REAL NOT NULL,
    audio_seconds REAL NOT NULL,
    integrated_lufs REAL,
    true_peak_dbtp REAL,
    measures TEXT, -- TakeMeasures.to_dict() as JSON, NULL where nothing was measured
    av_align REAL,
    offset_ms REAL,
    flaws INTEGER, -- how many
    seconds TEXT NOT NULL, -- per stage, as JSON
    checkpoint TEXT NOT NULL,
    untrained INTEGER NOT NULL,
    program TEXT NOT NULL,
    created TEXT NOT NULL, -- UTC, ISO 8601
    notes TEXT NOT NULL, -- JSON
    stars INTEGER NOT NULL DEFAULT 0 CHECK (stars BETWEEN 0 AND 5),
    missing INTEGER NOT NULL DEFAULT 0, -- the file was not at its path when last looked for
    trashed TEXT, -- since when, UTC, ISO 8601
    waveform BLOB, -- 160 peaks of the sound, 0 to 255
    size INTEGER, -- of the file, bytes
    modified INTEGER -- of the file, nanoseconds
);

CREATE INDEX takes_by_shot ON takes (shot, trashed, created);
CREATE INDEX takes_by_home ON takes (home);
-- All that a page is found and sorted by, so that the wide rows of takes on other pages need not be read.
CREATE INDEX takes_listed ON takes (
    trashed, created, take, shot, seed, stars, flaws, offset_ms, av_align, integrated_lufs
);

CREATE TABLE tags (
    take TEXT NOT NULL REFERENCES takes (take) ON DELETE CASCADE,
    folded TEXT NOT NULL, -- the tag in the form in which it is searched
    tag TEXT NOT NULL,
    PRIMARY KEY (take, folded)
) WITHOUT ROWID;

CREATE INDEX tags_by_name ON tags (folded, tag);

-- Comparisons of two takes. They outlive the takes, because what they say is about the shots' settings.
CREATE TABLE votes (
    vote INTEGER PRIMARY KEY,
    take_a TEXT NOT NULL,
    take_b TEXT NOT NULL,
    shot_a TEXT NOT NULL REFERENCES shots (shot),
    shot_b TEXT NOT NULL REFERENCES shots (shot),
    winner TEXT NOT NULL CHECK (winner IN ('a', 'b', 'tie')),
    blind INTEGER NOT NULL,
    person TEXT NOT NULL,
    created TEXT NOT NULL
);
