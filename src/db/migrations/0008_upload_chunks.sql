-- A file in pieces, so that one of any size is written and read in little memory. Not compressed: that would take
-- longer than the rest of an import.
CREATE TABLE durasync.upload_chunks (
  upload_id uuid NOT NULL REFERENCES durasync.uploads ON DELETE CASCADE,
  chunk integer NOT NULL,
  content bytea NOT NULL,
  PRIMARY KEY (upload_id, chunk)
);
ALTER TABLE durasync.upload_chunks ALTER COLUMN content SET STORAGE EXTERNAL;
INSERT INTO durasync.upload_chunks SELECT id, 0, content FROM durasync.uploads;
ALTER TABLE durasync.uploads DROP COLUMN content;
