-- A project as version 2 wrote it. Never changed: see versions.rs.
PRAGMA auto_vacuum = FULL;
PRAGMA application_id = 1396788802;
PRAGMA user_version = 2;

-- One row: what the project is.
CREATE TABLE project (
    only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
    name TEXT NOT NULL,
    created INTEGER NOT NULL, -- milliseconds since 1970 (UTC)
    changed INTEGER NOT NULL, -- milliseconds since 1970 (UTC)
    base_id TEXT,
    base_name TEXT,
    recipe TEXT -- JSON of RecipeChoice; the default when NULL
) STRICT;

CREATE TABLE file (
    id INTEGER PRIMARY KEY AUTOINCREMENT, -- never that of a removed file
    name TEXT NOT NULL UNIQUE, -- its name in the folder data
    bytes INTEGER NOT NULL,
    rows INTEGER NOT NULL DEFAULT 0,
    excluded INTEGER NOT NULL DEFAULT 0, -- how many of its rows
    edited INTEGER NOT NULL DEFAULT 0, -- how many of its rows
    recognition TEXT NOT NULL, -- JSON of Recognition
    mapping TEXT -- JSON of Mapping; as recognised when NULL
) STRICT;

CREATE TABLE row (
    file INTEGER NOT NULL REFERENCES file (id) ON DELETE CASCADE,
    number INTEGER NOT NULL, -- from 1, without gaps
    original TEXT NOT NULL, -- JSON list, a text for each column
    edit TEXT, -- JSON list; NULL when the row is as in the file
    excluded INTEGER NOT NULL DEFAULT 0 CHECK (excluded IN (0, 1)),
    PRIMARY KEY (file, number)
) STRICT;

-- Few rows are excluded or edited: to find them takes no look at the others.
CREATE INDEX excluded_row ON row (file, number) WHERE excluded = 1;
CREATE INDEX edited_row ON row (file, number) WHERE edit IS NOT NULL;

CREATE TABLE run (
    id TEXT PRIMARY KEY, -- its name in the folder runs
    created INTEGER NOT NULL, -- milliseconds since 1970 (UTC)
    recipe TEXT NOT NULL,
    dial TEXT NOT NULL,
    device TEXT NOT NULL,
    base TEXT NOT NULL,
    state TEXT NOT NULL,
    step INTEGER NOT NULL,
    steps INTEGER NOT NULL,
    best_loss REAL,
    outcome TEXT,
    fault TEXT -- JSON of Fault
) STRICT;

-- What the window remembers.
CREATE TABLE setting (
    key TEXT PRIMARY KEY,
    value TEXT NOT NULL -- JSON
) STRICT;

-- A question with answers that a person is to judge.
CREATE TABLE ballot (
    id INTEGER PRIMARY KEY AUTOINCREMENT, -- never that of a deleted ballot
    prompt TEXT NOT NULL, -- JSON list of Message
    answers TEXT NOT NULL, -- JSON list of BallotAnswer; never changed
    vote TEXT -- JSON of Vote; not judged yet when NULL
) STRICT;

-- What is still to be judged is asked for after every vote.
CREATE INDEX open_ballot ON ballot (id) WHERE vote IS NULL;

INSERT INTO project (only_row, name, created, changed, base_id, base_name, recipe) VALUES (
    1, '电影 reviews', 1790000000000, 1790000000500, 'starter', 'SmolLM2',
    '{"recipe":"lora","dial":"thorough","device":null,"chosen":{"learning_rate":0.0002},"reward":null}'
);
INSERT INTO file (id, name, bytes, rows, excluded, edited, recognition, mapping) VALUES (
    1, 'reviews.csv', 11, 3, 1, 1,
    '{"format":"csv","encoding":"UTF-8","delimiter":",","columns":["text","label"],"mapping":{"shape":"text_label","fields":[["text","{{text}}"],["label","{{label}}"]]},"reason":"by name"}',
    '{"shape":"text_label","fields":[["text","{{text}}!"],["label","{{label}}"]]}'
);
INSERT INTO row (file, number, original, edit, excluded) VALUES
    (1, 1, '["很好","good"]', NULL, 0),
    (1, 2, '["bad","bad"]', '["still \"bad\"","bad"]', 0),
    (1, 3, '["",""]', NULL, 1);
INSERT INTO run VALUES
    ('lora-a1', 1790000000100, 'lora', 'quick', 'cpu', 'SmolLM2', 'failed', 7, 100, NULL, NULL,
     '{"code":"worker.killed","message":"It was killed.","params":{"step":"7"}}'),
    ('lora-b2', 1790000000200, 'lora', 'balanced', 'cpu', 'SmolLM2', 'judged', 100, 100, 0.5,
     'cannot_tell', NULL);
INSERT INTO setting (key, value) VALUES ('step', '"data"');
INSERT INTO ballot (id, prompt, answers, vote) VALUES
    (2, '[{"role":"user","content":"天空?"}]',
     '[{"text":"蓝色","author":{"name":"SmolLM2","run":null,"epoch":null,"sampling":null}},{"text":"green","author":{"name":"lora","run":"lora-b2","epoch":3,"sampling":{"temperature":0.7,"top_p":0.95,"top_k":0,"min_p":0.0,"repetition_penalty":1.0,"max_new_tokens":512,"stop":[],"seed":42}}}]',
     '{"choice":{"kind":"best","answer":0},"rater":"","at":1790000000300,"seconds":4.5}'),
    (3, '[{"role":"user","content":"Sea?"}]',
     '[{"text":"blue","author":null},{"text":"wet","author":null}]', NULL);
UPDATE sqlite_sequence SET seq = 5 WHERE name = 'ballot'; -- two more were deleted
