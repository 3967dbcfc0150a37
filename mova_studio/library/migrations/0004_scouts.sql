-- Which cells of a grid a person wants to see finished.
ALTER TABLE jobs ADD COLUMN kept INTEGER NOT NULL DEFAULT 0;
