-- Shots are what was asked for. They never change, so that jobs and takes share them.
CREATE TABLE frames (
    frame TEXT PRIMARY KEY, -- sha256 of the PNG
    png BLOB NOT NULL
);

CREATE TABLE shots (
    shot TEXT PRIMARY KEY, -- sha256 of settings and frames
    settings TEXT NOT NULL, -- Shot.to_dict() without the frames, as JSON
    first_frame TEXT REFERENCES frames (frame),
    last_frame TEXT REFERENCES frames (frame),
    prompt TEXT NOT NULL,
    folded TEXT NOT NULL -- the prompt in the form in which it is searched
);

-- What the owner set for this library, as JSON.
CREATE TABLE settings (
    name TEXT PRIMARY KEY,
    value TEXT NOT NULL
);
