-- Files that people upload, until a run has read them: the worker may be on another machine.
CREATE TABLE durasync.uploads (
  id uuid PRIMARY KEY DEFAULT gen_random_uuid(),
  file_name text NOT NULL,
  content bytea NOT NULL,
  options jsonb NOT NULL DEFAULT '{}',
  uploaded_by text NOT NULL,
  uploaded_at timestamptz NOT NULL DEFAULT clock_timestamp()
);
