-- Numbers of staging attempts. Logged, unlike the progress they fence: a crash of the database must not give the
-- number of an attempt that is still alive to another one.
CREATE SEQUENCE durasync.staging_attempts AS integer CYCLE;
