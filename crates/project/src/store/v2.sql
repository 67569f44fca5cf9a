-- A question with answers that a person is to judge.
CREATE TABLE ballot (
    id INTEGER PRIMARY KEY AUTOINCREMENT, -- never that of a deleted ballot
    prompt TEXT NOT NULL, -- JSON list of Message
    answers TEXT NOT NULL, -- JSON list of BallotAnswer; never changed
    vote TEXT -- JSON of Vote; not judged yet when NULL
) STRICT;

-- What is still to be judged is asked for after every vote.
CREATE INDEX open_ballot ON ballot (id) WHERE vote IS NULL;
