CREATE SCHEMA fleet;

CREATE TABLE fleet.vehicles (
  vin text PRIMARY KEY,
  vehicle_id text,
  year integer,
  make text NOT NULL,
  model text NOT NULL,
  model_short_name text,
  office text NOT NULL,
  fleet text,
  registration_exp date,
  insurance_exp date,
  current_mileage integer,
  in_service_date date,
  expected_turn_in_date date,
  notes text,
  color text,
  first_seen_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  first_run_id text,
  last_run_id text
);

CREATE TABLE fleet.media_partners (
  person_id text PRIMARY KEY,
  name text NOT NULL,
  address text,
  office text NOT NULL,
  default_loan_region text,
  notes_instructions text,
  affiliation text,
  activity_type_subcategory_id text,
  latitude double precision,
  longitude double precision,
  geocode_status text,
  geocode_approximate boolean,
  geocoded_at timestamptz,
  preferred_day_of_week text,
  preferred_day_confidence numeric(4, 1),
  preferred_day_source text CHECK (preferred_day_source IN ('derived', 'manual')),
  first_seen_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  first_run_id text,
  last_run_id text
);

CREATE TABLE fleet.loan_history (
  activity_id text PRIMARY KEY,
  vin text NOT NULL,
  person_id text NOT NULL,
  make text NOT NULL,
  model text NOT NULL,
  year integer,
  model_short_name text,
  start_date date NOT NULL,
  end_date date NOT NULL,
  clips_received text,
  office text NOT NULL,
  name text NOT NULL,
  partner_address text,
  region text,
  first_seen_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  first_run_id text,
  last_run_id text
);

CREATE TABLE fleet.current_activity (
  activity_id text PRIMARY KEY,
  person_id text,
  vehicle_vin text NOT NULL,
  activity_type text NOT NULL,
  start_date date NOT NULL,
  end_date date NOT NULL,
  to_field text,
  partner_address text,
  region text,
  first_seen_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  first_run_id text,
  last_run_id text
);

CREATE TABLE fleet.approved_makes (
  person_id text,
  make text,
  name text NOT NULL,
  rank text NOT NULL CHECK (rank IN ('A+', 'A', 'B', 'C', 'Pending')),
  first_seen_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  first_run_id text,
  last_run_id text,
  PRIMARY KEY (person_id, make)
);

CREATE TABLE fleet.budgets (
  office text,
  fleet text,
  year integer,
  quarter text,
  budget_amount numeric(14, 2),
  amount_used numeric(14, 2),
  first_seen_at timestamptz NOT NULL DEFAULT now(),
  updated_at timestamptz NOT NULL DEFAULT now(),
  first_run_id text,
  last_run_id text,
  PRIMARY KEY (office, fleet, year, quarter)
);

CREATE TABLE fleet.vehicles_archive (
  LIKE fleet.vehicles, archived_at timestamptz NOT NULL, archive_reason text NOT NULL, archived_run_id text NOT NULL,
  PRIMARY KEY (vin));
CREATE TABLE fleet.media_partners_archive (
  LIKE fleet.media_partners, archived_at timestamptz NOT NULL, archive_reason text NOT NULL,
  archived_run_id text NOT NULL, PRIMARY KEY (person_id));
CREATE TABLE fleet.loan_history_archive (
  LIKE fleet.loan_history, archived_at timestamptz NOT NULL, archive_reason text NOT NULL,
  archived_run_id text NOT NULL, PRIMARY KEY (activity_id));
CREATE TABLE fleet.current_activity_archive (
  LIKE fleet.current_activity, archived_at timestamptz NOT NULL, archive_reason text NOT NULL,
  archived_run_id text NOT NULL, PRIMARY KEY (activity_id));
CREATE TABLE fleet.approved_makes_archive (
  LIKE fleet.approved_makes, archived_at timestamptz NOT NULL, archive_reason text NOT NULL,
  archived_run_id text NOT NULL, PRIMARY KEY (person_id, make));
