-- The primary store of a local run, as local/primary-seed.ts and docker-compose.yml make it: the table of parking events,
-- and a user that can only read it. Its rows are in local/primary-seed.ts.

CREATE DATABASE IF NOT EXISTS parking CHARACTER SET utf8mb4;

CREATE TABLE IF NOT EXISTS parking.pm_parking_event (
  session_id VARCHAR(64) NOT NULL,
  user_id BIGINT NULL,
  event_type VARCHAR(32) NOT NULL,
  zone_id VARCHAR(32) NULL,
  area VARCHAR(64) NULL,
  zone VARCHAR(32) NULL,
  license_plate_number VARCHAR(16) NULL,
  lpn_country CHAR(2) NULL,
  lpn_state CHAR(2) NULL,
  parking_start_time_UTC DATETIME NULL,
  parking_stop_time_UTC DATETIME NULL,
  amount DECIMAL(10, 2) NULL,
  payment_method VARCHAR(32) NULL,
  status VARCHAR(16) NULL,
  alert_before INT NULL COMMENT 'minutes',
  alert_at DATETIME NULL,
  created_at TIMESTAMP(3) NULL DEFAULT NULL,
  updated_at TIMESTAMP(3) NULL DEFAULT NULL,
  KEY session (session_id)
);

CREATE USER IF NOT EXISTS 'reader'@'%' IDENTIFIED BY 'reader';
GRANT SELECT ON parking.* TO 'reader'@'%';
