BEGIN TRANSACTION;
CREATE TABLE api_key (
	id VARCHAR NOT NULL, 
	name TEXT NOT NULL, 
	scopes VARCHAR NOT NULL, 
	hash VARCHAR NOT NULL, 
	created_at BIGINT NOT NULL, 
	revoked_at BIGINT, 
	CONSTRAINT pk_api_key PRIMARY KEY (id)
);
INSERT INTO "api_key" VALUES('96cf2c47eacb','meter-1','read write','075c1968cb548f381daf6a92d4d49ad3138d1a0d060b1ae23f4da40816d4fc7a',1795443311358308111,NULL);
CREATE TABLE audit (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	at BIGINT NOT NULL, 
	actor TEXT NOT NULL, 
	action VARCHAR NOT NULL, 
	subject TEXT NOT NULL, 
	detail TEXT NOT NULL
);
INSERT INTO "audit" VALUES(1,1795443311260315253,'','place.put','havirov havirov/mesto','{"count":2}');
INSERT INTO "audit" VALUES(2,1795443311272742895,'','device.add','meter-1','{"id":"meter-1","connector":"native","external_id":"meter-1","title":"","interval":60,"grade":2,"origin":0,"mountings":[{"place":"havirov","start":0,"end":3600000000000},{"place":"havirov/mesto","start":3600000000000,"end":null}]}');
INSERT INTO "audit" VALUES(3,1795443311287210954,'','device.add','meter-1-old','{"id":"meter-1-old","connector":"native","external_id":"meter-1-old","title":"","interval":60,"grade":2,"origin":0,"mountings":[{"place":"havirov","start":0,"end":null}]}');
INSERT INTO "audit" VALUES(4,1795443311295004714,'','device.remove','meter-1-old','{"id":"meter-1-old","connector":"native","external_id":"meter-1-old","title":"","interval":60,"grade":2,"origin":0,"mountings":[{"place":"havirov","start":0,"end":null}]}');
INSERT INTO "audit" VALUES(5,1795443311355341980,'dana','correction.add','meter-1','{"correction":1}');
INSERT INTO "audit" VALUES(6,1795443311358308111,'admin','key.create','96cf2c47eacb','{"name":"meter-1","scopes":"read write"}');
CREATE TABLE command (
	id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT, 
	kind VARCHAR NOT NULL, 
	arguments TEXT NOT NULL, 
	submitted_at BIGINT NOT NULL, 
	done_at BIGINT, 
	result TEXT
);
INSERT INTO "command" VALUES(1,'redrive','{"connector":"native","external_id":"meter-1","reason":"unknown_device"}',1795443311272742895,NULL,NULL);
INSERT INTO "command" VALUES(2,'redrive','{"connector":"native","external_id":"meter-1-old","reason":"unknown_device"}',1795443311287210954,NULL,NULL);
INSERT INTO "command" VALUES(3,'redrive','{"reason":"malformed"}',1795443311370343251,1795443311374239532,'{"count":3}');
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
);
INSERT INTO "correction" VALUES(1,'meter-1','pm10',0,3600000000000,'override_flag',4,'dana','wet sensor',1795443311355341980);
CREATE TABLE counter (
	name VARCHAR NOT NULL, 
	value BIGINT NOT NULL, 
	CONSTRAINT pk_counter PRIMARY KEY (name)
);
INSERT INTO "counter" VALUES('value_seq',5);
INSERT INTO "counter" VALUES('registry_version',4);
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
	removed_at BIGINT, 
	CONSTRAINT pk_device PRIMARY KEY (id)
);
INSERT INTO "device" VALUES('meter-1','native','meter-1','',60,2,0,1795443311272742895,NULL);
INSERT INTO "device" VALUES('meter-1-old','native','meter-1-old','',60,2,0,1795443311287210954,1795443311295004714);
CREATE TABLE hold (
	name VARCHAR NOT NULL, 
	started BIGINT NOT NULL, 
	expires BIGINT NOT NULL, 
	CONSTRAINT pk_hold PRIMARY KEY (name)
);
INSERT INTO "hold" VALUES('meter-1',0,1152921504606846976);
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
	seq BIGINT NOT NULL, 
	CONSTRAINT pk_indicator_revision PRIMARY KEY (series, window_start, revision), 
	CONSTRAINT fk_indicator_revision_series_value_series FOREIGN KEY(series) REFERENCES value_series (id)
);
INSERT INTO "indicator_revision" VALUES(2,0,0,3600000000000,'PT1H',1.0,'ug/m3','provisional',1,NULL,NULL,NULL,NULL,0,NULL,NULL,0,NULL,0,0,0,0,NULL,1);
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
	due_at BIGINT, 
	CONSTRAINT pk_indicator_value PRIMARY KEY (series, window_start), 
	CONSTRAINT fk_indicator_value_series_value_series FOREIGN KEY(series) REFERENCES value_series (id)
);
INSERT INTO "indicator_value" VALUES(2,0,1,3600000000000,'PT1H',2.0,'ug/m3','final',1,NULL,NULL,NULL,NULL,0,NULL,NULL,0,NULL,0,0,1,0,NULL,4,NULL);
INSERT INTO "indicator_value" VALUES(1,1700000000000000001,1,1700003600000000001,'PT1H',3.00000000000000044408e-01,'1','final',3,'lower bound: o3 is missing',2,66.7,3.33333333333333314829e-01,2,6,'["o3","so2"]',1,'{"pm10":{"value":20.311,"unit":"ug/m3","band":2,"coverage":0.928,"n_valid":1,"n_expected":1},"no2":{"value":null,"unit":null,"band":null,"coverage":null,"n_valid":0,"n_expected":null}}',2,1,1,1700010000000000007,'late readings',2,NULL);
INSERT INTO "indicator_value" VALUES(2,3600000000000,0,7200000000000,'PT1H',1.0,'ug/m3','provisional',1,NULL,NULL,NULL,NULL,0,NULL,NULL,0,NULL,0,0,0,0,NULL,3,3600000000000);
INSERT INTO "indicator_value" VALUES(2,7200000000000,0,10800000000000,'PT1H',NULL,'ug/m3','insufficient_data',1,'coverage below 75 %',NULL,NULL,NULL,0,NULL,NULL,0,NULL,0,0,0,0,NULL,5,3600000000000);
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
INSERT INTO "ledger_schema" VALUES('0001');
CREATE TABLE mounting (
	device VARCHAR NOT NULL, 
	mounted_from BIGINT NOT NULL, 
	mounted_to BIGINT, 
	place VARCHAR NOT NULL, 
	CONSTRAINT pk_mounting PRIMARY KEY (device, mounted_from), 
	CONSTRAINT fk_mounting_device_device FOREIGN KEY(device) REFERENCES device (id), 
	CONSTRAINT fk_mounting_place_place FOREIGN KEY(place) REFERENCES place (id)
);
INSERT INTO "mounting" VALUES('meter-1',0,3600000000000,'havirov');
INSERT INTO "mounting" VALUES('meter-1',3600000000000,NULL,'havirov/mesto');
INSERT INTO "mounting" VALUES('meter-1-old',0,1795443311295004714,'havirov');
CREATE TABLE place (
	id VARCHAR NOT NULL, 
	parent VARCHAR, 
	kind VARCHAR NOT NULL, 
	title TEXT NOT NULL, 
	population INTEGER, 
	population_date VARCHAR, 
	latitude FLOAT, 
	longitude FLOAT, 
	source TEXT, 
	CONSTRAINT pk_place PRIMARY KEY (id), 
	CONSTRAINT fk_place_parent_place FOREIGN KEY(parent) REFERENCES place (id)
);
INSERT INTO "place" VALUES('havirov',NULL,'municipality','{"cs":"Místo","en":"Place"}',68947,NULL,NULL,NULL,NULL);
INSERT INTO "place" VALUES('havirov/mesto','havirov','part','{"cs":"Místo","en":"Place"}',NULL,NULL,49.78,NULL,NULL);
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
DELETE FROM "sqlite_sequence";
INSERT INTO "sqlite_sequence" VALUES('audit',6);
INSERT INTO "sqlite_sequence" VALUES('command',3);
INSERT INTO "sqlite_sequence" VALUES('correction',1);
COMMIT;