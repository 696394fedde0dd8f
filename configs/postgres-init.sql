-- The two roles and the database, once, as superuser. psql 14 or newer; passwords come from the environment:
--   SUA_OWNER_PASSWORD=… SUA_APP_PASSWORD=… psql -U postgres -f configs/postgres-init.sql
-- sua_owner owns the tables and migrates; sua_app serves, and gets from the migrations only the rights it needs, so that the
-- program cannot rewrite history even if it is made to try.
\set ON_ERROR_STOP on
\getenv owner_password SUA_OWNER_PASSWORD
\getenv app_password SUA_APP_PASSWORD

CREATE ROLE sua_owner LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS PASSWORD :'owner_password';
CREATE ROLE sua_app LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOBYPASSRLS PASSWORD :'app_password';

CREATE DATABASE sua OWNER sua_owner;
REVOKE ALL ON DATABASE sua FROM PUBLIC;
GRANT CONNECT ON DATABASE sua TO sua_app;

\connect sua
-- PostgreSQL 14 still lets everybody create tables here.
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT ALL ON SCHEMA public TO sua_owner;
GRANT USAGE ON SCHEMA public TO sua_app;
