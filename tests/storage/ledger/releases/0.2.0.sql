BEGIN TRANSACTION;
CREATE TABLE api_key (
	id VARCHAR NOT NULL, 
	name TEXT NOT NULL, 
	scopes VARCHAR NOT NULL, 
	hash VARCHAR NOT NULL, 
	created_at BIGINT NOT NULL, 
	revoked_at BIGINT, partner VARCHAR DEFAULT '' NOT NULL, expires_at BIGINT, 
	CONSTRAINT pk_api_key PRIMARY KEY (id)
);
INSERT INTO "api_key" VALUES('2ee1513a041a','meter-1','read write','19049d4abfd432394fb0968db768c3161bc707a75b0ecfdf29933c286ead3875',1795538671870188415,NULL,'',NULL);
CREATE TABLE audit (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	at BIGINT NOT NULL, 
	actor TEXT NOT NULL, 
	action VARCHAR NOT NULL, 
	subject TEXT NOT NULL, 
	detail TEXT NOT NULL
);
INSERT INTO "audit" VALUES(1,1795538671851474403,'','place.add','havirov','{"before":null,"after":{"id":"havirov","kind":"municipality","title":{"cs":"Místo","en":"Place"},"population":68947,"population_date":null,"latitude":null,"longitude":null,"source":null}}');
INSERT INTO "audit" VALUES(2,1795538671851474403,'','place.add','havirov/mesto','{"before":null,"after":{"id":"havirov/mesto","kind":"part","title":{"cs":"Místo","en":"Place"},"population":null,"population_date":null,"latitude":49.78,"longitude":null,"source":null}}');
INSERT INTO "audit" VALUES(3,1795538671856935699,'','device.add','meter-1','{"before":null,"after":{"id":"meter-1","connector":"native","external_id":"meter-1","title":"","interval":60,"grade":2,"origin":0,"mountings":[{"place":"havirov","start":0,"end":3600000000000,"height":null,"orientation":null},{"place":"havirov/mesto","start":3600000000000,"end":null,"height":null,"orientation":null}],"model":"","serial":"","owner":"","tags":[],"note":"","registered_at":1795538671855945732,"revision":1}}');
INSERT INTO "audit" VALUES(4,1795538671859354877,'','device.add','meter-1-old','{"before":null,"after":{"id":"meter-1-old","connector":"native","external_id":"meter-1-old","title":"","interval":60,"grade":2,"origin":0,"mountings":[{"place":"havirov","start":0,"end":null,"height":null,"orientation":null}],"model":"","serial":"","owner":"","tags":[],"note":"","registered_at":1795538671858878577,"revision":1}}');
INSERT INTO "audit" VALUES(5,1795538671860329420,'','device.remove','meter-1-old','{"before":{"id":"meter-1-old","connector":"native","external_id":"meter-1-old","title":"","interval":60,"grade":2,"origin":0,"mountings":[{"place":"havirov","start":0,"end":null,"height":null,"orientation":null}],"model":"","serial":"","owner":"","tags":[],"note":"","registered_at":1795538671858878577,"revision":1},"after":null}');
INSERT INTO "audit" VALUES(6,1795538671869326169,'dana','correction.add','meter-1','{"correction":1}');
INSERT INTO "audit" VALUES(7,1795538671870188415,'admin','key.create','2ee1513a041a','{"name":"meter-1","scopes":"read write","partner":"","expires_at":null}');
CREATE TABLE broker_refusal (
	username VARCHAR NOT NULL, 
	kind VARCHAR NOT NULL, 
	topic VARCHAR NOT NULL, 
	text TEXT NOT NULL, 
	count INTEGER NOT NULL, 
	first_at BIGINT NOT NULL, 
	last_at BIGINT NOT NULL, 
	CONSTRAINT pk_broker_refusal PRIMARY KEY (username, kind, topic)
);
CREATE TABLE certificate (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	device VARCHAR NOT NULL, 
	correction BIGINT NOT NULL, 
	document TEXT NOT NULL, 
	made_by TEXT NOT NULL, 
	made_at BIGINT NOT NULL, 
	CONSTRAINT fk_certificate_device_device FOREIGN KEY(device) REFERENCES device (id)
);
CREATE TABLE command (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	kind VARCHAR NOT NULL, 
	arguments TEXT NOT NULL, 
	submitted_at BIGINT NOT NULL, 
	done_at BIGINT, 
	result TEXT
);
INSERT INTO "command" VALUES(1,'redrive','{"connector":"native","external_id":"meter-1","reason":"unknown_device"}',1795538671857327713,NULL,NULL);
INSERT INTO "command" VALUES(2,'redrive','{"connector":"native","external_id":"meter-1-old","reason":"unknown_device"}',1795538671859542787,NULL,NULL);
INSERT INTO "command" VALUES(3,'redrive','{"reason":"malformed"}',1795538671873175029,1795538671873570620,'{"count":3}');
CREATE TABLE correction (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	device VARCHAR NOT NULL, 
	quantity VARCHAR, 
	applies_from BIGINT NOT NULL, 
	applies_to BIGINT NOT NULL, 
	action VARCHAR NOT NULL, 
	flag SMALLINT, 
	made_by TEXT NOT NULL, 
	reason TEXT NOT NULL, 
	made_at BIGINT NOT NULL
, scale FLOAT, shift FLOAT, withdraws BIGINT);
INSERT INTO "correction" VALUES(1,'meter-1','pm10',0,3600000000000,'override_flag',4,'dana','wet sensor',1795538671869326169,NULL,NULL,NULL);
CREATE TABLE counter (
	name VARCHAR NOT NULL, 
	value BIGINT NOT NULL, 
	CONSTRAINT pk_counter PRIMARY KEY (name)
);
INSERT INTO "counter" VALUES('value_seq',5);
INSERT INTO "counter" VALUES('registry_version',4);
INSERT INTO "counter" VALUES('credential_version',0);
CREATE TABLE credential (
	username VARCHAR NOT NULL, 
	kind VARCHAR NOT NULL, 
	hashes TEXT NOT NULL, 
	prefix TEXT NOT NULL, 
	allow TEXT NOT NULL, 
	issued_at BIGINT NOT NULL, 
	issued_by TEXT NOT NULL, 
	disabled_at BIGINT, 
	disabled_why TEXT NOT NULL, 
	CONSTRAINT pk_credential PRIMARY KEY (username)
);
CREATE TABLE cursor (
	name VARCHAR NOT NULL, 
	position BIGINT NOT NULL, 
	CONSTRAINT pk_cursor PRIMARY KEY (name)
);
INSERT INTO "cursor" VALUES('touch:0',7);
CREATE TABLE device (
	id VARCHAR NOT NULL, 
	connector VARCHAR NOT NULL, 
	external_id VARCHAR NOT NULL, 
	title TEXT NOT NULL, 
	interval_s INTEGER, 
	grade SMALLINT NOT NULL, 
	origin SMALLINT NOT NULL, 
	registered_at BIGINT NOT NULL, 
	removed_at BIGINT, model VARCHAR DEFAULT '' NOT NULL, owner VARCHAR DEFAULT '' NOT NULL, serial TEXT DEFAULT '' NOT NULL, tags TEXT DEFAULT '[]' NOT NULL, note TEXT DEFAULT '' NOT NULL, revision INTEGER DEFAULT 1 NOT NULL, 
	CONSTRAINT pk_device PRIMARY KEY (id)
);
INSERT INTO "device" VALUES('meter-1','native','meter-1','',60,2,0,1795538671855945732,NULL,'','','','[]','',1);
INSERT INTO "device" VALUES('meter-1-old','native','meter-1-old','',60,2,0,1795538671858878577,1795538671860329420,'','','','[]','',2);
CREATE TABLE draft (
	id VARCHAR NOT NULL, 
	kind VARCHAR NOT NULL, 
	document TEXT NOT NULL, 
	made_by TEXT NOT NULL, 
	made_at BIGINT NOT NULL, 
	changed_at BIGINT NOT NULL, 
	CONSTRAINT pk_draft PRIMARY KEY (id)
);
CREATE TABLE entered_value (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	indicator VARCHAR NOT NULL, 
	place VARCHAR NOT NULL, 
	window_start BIGINT NOT NULL, 
	window_end BIGINT NOT NULL, 
	value FLOAT NOT NULL, 
	source TEXT NOT NULL, 
	reason TEXT, 
	note TEXT, 
	author TEXT NOT NULL, 
	made_at BIGINT NOT NULL, 
	decision VARCHAR, 
	decided_by TEXT, 
	decided_at BIGINT, 
	decision_reason TEXT, 
	approval BIGINT
);
CREATE TABLE facility (
	place VARCHAR NOT NULL, 
	document TEXT NOT NULL, 
	owner VARCHAR NOT NULL, 
	revision INTEGER NOT NULL, 
	CONSTRAINT pk_facility PRIMARY KEY (place), 
	CONSTRAINT fk_facility_place_place FOREIGN KEY(place) REFERENCES place (id)
);
CREATE TABLE hardware (
	device VARCHAR NOT NULL, 
	used_from BIGINT NOT NULL, 
	used_to BIGINT, 
	document TEXT NOT NULL, 
	CONSTRAINT pk_hardware PRIMARY KEY (device, used_from), 
	CONSTRAINT fk_hardware_device_device FOREIGN KEY(device) REFERENCES device (id)
);
CREATE TABLE hold (
	name VARCHAR NOT NULL, 
	started BIGINT NOT NULL, 
	expires BIGINT NOT NULL, 
	CONSTRAINT pk_hold PRIMARY KEY (name)
);
INSERT INTO "hold" VALUES('meter-1',0,1152921504606846976);
CREATE TABLE ignored (
	connector VARCHAR NOT NULL, 
	external_id VARCHAR NOT NULL, 
	why TEXT NOT NULL, 
	made_by TEXT NOT NULL, 
	made_at BIGINT NOT NULL, 
	CONSTRAINT pk_ignored PRIMARY KEY (connector, external_id)
);
CREATE TABLE import_run (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	kind VARCHAR NOT NULL, 
	file TEXT NOT NULL, 
	counts TEXT NOT NULL, 
	changes TEXT NOT NULL, 
	made_by TEXT NOT NULL, 
	made_at BIGINT NOT NULL, 
	undone_by TEXT, 
	undone_at BIGINT
);
CREATE TABLE indicator_revision (
	series INTEGER NOT NULL, 
	window_start BIGINT NOT NULL, 
	revision INTEGER NOT NULL, 
	window_end BIGINT NOT NULL, 
	period VARCHAR NOT NULL, 
	value FLOAT, 
	unit VARCHAR NOT NULL, 
	status VARCHAR NOT NULL, 
	definition_version INTEGER NOT NULL, 
	reason TEXT, 
	band INTEGER, 
	score FLOAT, 
	coverage FLOAT, 
	n_valid INTEGER NOT NULL, 
	n_expected INTEGER, 
	missing TEXT, 
	lower_bound BOOLEAN NOT NULL, 
	components TEXT, 
	origin SMALLINT NOT NULL, 
	grade SMALLINT NOT NULL, 
	closed BOOLEAN NOT NULL, 
	computed_at BIGINT NOT NULL, 
	cause TEXT, 
	seq BIGINT NOT NULL, details TEXT, digest BIGINT, 
	CONSTRAINT pk_indicator_revision PRIMARY KEY (series, window_start, revision), 
	CONSTRAINT fk_indicator_revision_series_value_series FOREIGN KEY(series) REFERENCES value_series (id)
);
INSERT INTO "indicator_revision" VALUES(2,0,0,3600000000000,'PT1H',1.0,'ug/m3','provisional',1,NULL,NULL,NULL,NULL,0,NULL,NULL,0,NULL,0,0,0,0,NULL,1,NULL,NULL);
CREATE TABLE indicator_value (
	series INTEGER NOT NULL, 
	window_start BIGINT NOT NULL, 
	revision INTEGER NOT NULL, 
	window_end BIGINT NOT NULL, 
	period VARCHAR NOT NULL, 
	value FLOAT, 
	unit VARCHAR NOT NULL, 
	status VARCHAR NOT NULL, 
	definition_version INTEGER NOT NULL, 
	reason TEXT, 
	band INTEGER, 
	score FLOAT, 
	coverage FLOAT, 
	n_valid INTEGER NOT NULL, 
	n_expected INTEGER, 
	missing TEXT, 
	lower_bound BOOLEAN NOT NULL, 
	components TEXT, 
	origin SMALLINT NOT NULL, 
	grade SMALLINT NOT NULL, 
	closed BOOLEAN NOT NULL, 
	computed_at BIGINT NOT NULL, 
	cause TEXT, 
	seq BIGINT NOT NULL, 
	due_at BIGINT, details TEXT, digest BIGINT, 
	CONSTRAINT pk_indicator_value PRIMARY KEY (series, window_start), 
	CONSTRAINT fk_indicator_value_series_value_series FOREIGN KEY(series) REFERENCES value_series (id)
);
INSERT INTO "indicator_value" VALUES(2,0,1,3600000000000,'PT1H',2.0,'ug/m3','final',1,NULL,NULL,NULL,NULL,0,NULL,NULL,0,NULL,0,0,1,0,NULL,4,NULL,NULL,NULL);
INSERT INTO "indicator_value" VALUES(1,1700000000000000001,1,1700003600000000001,'PT1H',3.00000000000000044408e-01,'1','final',3,'lower bound: o3 is missing',2,66.7,3.33333333333333314829e-01,2,6,'["o3","so2"]',1,'{"pm10":{"value":20.311,"unit":"ug/m3","band":2,"coverage":0.928,"n_valid":1,"n_expected":1},"no2":{"value":null,"unit":null,"band":null,"coverage":null,"n_valid":0,"n_expected":null}}',2,1,1,1700010000000000007,'late readings',2,NULL,NULL,NULL);
INSERT INTO "indicator_value" VALUES(2,3600000000000,0,7200000000000,'PT1H',1.0,'ug/m3','provisional',1,NULL,NULL,NULL,NULL,0,NULL,NULL,0,NULL,0,0,0,0,NULL,3,3600000000000,NULL,NULL);
INSERT INTO "indicator_value" VALUES(2,7200000000000,0,10800000000000,'PT1H',NULL,'ug/m3','insufficient_data',1,'coverage below 75 %',NULL,NULL,NULL,0,NULL,NULL,0,NULL,0,0,0,0,NULL,5,3600000000000,NULL,NULL);
CREATE TABLE lease (
	name VARCHAR NOT NULL, 
	owner TEXT NOT NULL, 
	expires BIGINT NOT NULL, 
	CONSTRAINT pk_lease PRIMARY KEY (name)
);
INSERT INTO "lease" VALUES('meter-1','me',1152921504606846976);
CREATE TABLE ledger_schema (
	version_num VARCHAR(32) NOT NULL, 
	CONSTRAINT ledger_schema_pkc PRIMARY KEY (version_num)
);
INSERT INTO "ledger_schema" VALUES('0004');
CREATE TABLE mounting (
	device VARCHAR NOT NULL, 
	mounted_from BIGINT NOT NULL, 
	mounted_to BIGINT, 
	place VARCHAR NOT NULL, height FLOAT, orientation FLOAT, 
	CONSTRAINT pk_mounting PRIMARY KEY (device, mounted_from), 
	CONSTRAINT fk_mounting_device_device FOREIGN KEY(device) REFERENCES device (id), 
	CONSTRAINT fk_mounting_place_place FOREIGN KEY(place) REFERENCES place (id)
);
INSERT INTO "mounting" VALUES('meter-1',0,3600000000000,'havirov',NULL,NULL);
INSERT INTO "mounting" VALUES('meter-1',3600000000000,NULL,'havirov/mesto',NULL,NULL);
INSERT INTO "mounting" VALUES('meter-1-old',0,1795538671860329420,'havirov',NULL,NULL);
CREATE TABLE note (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	subject VARCHAR NOT NULL, 
	text TEXT NOT NULL, 
	made_by TEXT NOT NULL, 
	made_at BIGINT NOT NULL, 
	removed_at BIGINT
);
CREATE TABLE person (
	login VARCHAR NOT NULL, 
	name TEXT NOT NULL, 
	roles VARCHAR NOT NULL, 
	partner VARCHAR NOT NULL, 
	language VARCHAR NOT NULL, 
	password TEXT, 
	issuer VARCHAR NOT NULL, 
	subject VARCHAR NOT NULL, 
	created_at BIGINT NOT NULL, 
	disabled_at BIGINT, 
	CONSTRAINT pk_person PRIMARY KEY (login)
);
CREATE TABLE photo (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	subject VARCHAR NOT NULL, 
	sha256 VARCHAR NOT NULL, 
	document TEXT NOT NULL, 
	made_by TEXT NOT NULL, 
	made_at BIGINT NOT NULL, 
	removed_at BIGINT
);
CREATE TABLE place (
	id VARCHAR NOT NULL, 
	parent VARCHAR, 
	kind VARCHAR NOT NULL, 
	title TEXT NOT NULL, 
	population INTEGER, 
	population_date VARCHAR, 
	latitude FLOAT, 
	longitude FLOAT, 
	source TEXT, revision INTEGER DEFAULT 1 NOT NULL, 
	CONSTRAINT pk_place PRIMARY KEY (id), 
	CONSTRAINT fk_place_parent_place FOREIGN KEY(parent) REFERENCES place (id)
);
INSERT INTO "place" VALUES('havirov',NULL,'municipality','{"cs":"Místo","en":"Place"}',68947,NULL,NULL,NULL,NULL,1);
INSERT INTO "place" VALUES('havirov/mesto','havirov','part','{"cs":"Místo","en":"Place"}',NULL,NULL,49.78,NULL,NULL,1);
CREATE TABLE session (
	hash VARCHAR NOT NULL, 
	login VARCHAR NOT NULL, 
	created_at BIGINT NOT NULL, 
	seen_at BIGINT NOT NULL, 
	expires_at BIGINT NOT NULL, 
	agent TEXT NOT NULL, 
	CONSTRAINT pk_session PRIMARY KEY (hash), 
	CONSTRAINT fk_session_login_person FOREIGN KEY(login) REFERENCES person (login)
);
CREATE TABLE strategy (
	id VARCHAR NOT NULL, 
	revision INTEGER NOT NULL, 
	document TEXT NOT NULL, 
	made_by TEXT NOT NULL, 
	reason TEXT NOT NULL, 
	made_at BIGINT NOT NULL, 
	CONSTRAINT pk_strategy PRIMARY KEY (id, revision)
);
CREATE TABLE value_series (
	id INTEGER NOT NULL, 
	indicator VARCHAR NOT NULL, 
	place VARCHAR NOT NULL, 
	CONSTRAINT pk_value_series PRIMARY KEY (id), 
	CONSTRAINT uq_value_series_indicator_place UNIQUE (indicator, place)
);
INSERT INTO "value_series" VALUES(1,'eaqi_2024','havirov/mesto/thara');
INSERT INTO "value_series" VALUES(2,'i','havirov/mesto');
CREATE UNIQUE INDEX uq_device_connector_external_id ON device (connector, external_id) WHERE removed_at IS NULL;
CREATE INDEX ix_indicator_value_due_at ON indicator_value (due_at) WHERE due_at IS NOT NULL;
CREATE UNIQUE INDEX ix_indicator_value_seq ON indicator_value (seq);
CREATE INDEX ix_command_pending ON command (id) WHERE done_at IS NULL;
CREATE UNIQUE INDEX ix_entered_value_approval ON entered_value (approval);
CREATE INDEX ix_entered_value_indicator_place_window_start ON entered_value (indicator, place, window_start);
CREATE INDEX ix_certificate_device ON certificate (device);
CREATE INDEX ix_note_subject ON note (subject);
CREATE INDEX ix_photo_subject ON photo (subject);
CREATE INDEX ix_audit_subject ON audit (subject);
CREATE INDEX ix_session_login ON session (login);
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('audit',7);
INSERT INTO "sqlite_sequence" VALUES('command',3);
INSERT INTO "sqlite_sequence" VALUES('correction',1);
COMMIT;