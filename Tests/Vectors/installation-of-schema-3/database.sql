BEGIN TRANSACTION;
CREATE TABLE audit (
    id TEXT PRIMARY KEY, at INTEGER NOT NULL, actor TEXT, actor_name TEXT NOT NULL, action TEXT NOT NULL,
    subject TEXT NOT NULL, detail TEXT NOT NULL, address TEXT NOT NULL
) STRICT;
INSERT INTO "audit" VALUES('01a21e76-bdeb-7f7e-a678-5527f0487ff0',1795807428076,NULL,'','user.create','01a21e76-bceb-70c3-acd6-e61e09dedbe4','admin, first start','');
INSERT INTO "audit" VALUES('01a21e76-befe-74a8-b675-b5533ceb8e7e',1795807428351,'01a21e76-bceb-70c3-acd6-e61e09dedbe4','admin','session.begin','01a21e76-bceb-70c3-acd6-e61e09dedbe4','','127.0.0.1');
INSERT INTO "audit" VALUES('01a21e76-bff2-78ee-bda7-33396f6acb18',1795807428595,'01a21e76-bceb-70c3-acd6-e61e09dedbe4','admin','user.create','01a21e76-bf01-7434-a961-b41d6afe43ef','thuky secretary','127.0.0.1');
INSERT INTO "audit" VALUES('01a21e76-c0ea-7422-8cf8-a4b538350b0e',1795807428843,'01a21e76-bceb-70c3-acd6-e61e09dedbe4','admin','user.create','01a21e76-bff5-73b6-b8f8-05a5f4e5b743','laichau operator','127.0.0.1');
INSERT INTO "audit" VALUES('01a21e76-c1e2-70f5-b0cb-57a77954576e',1795807429091,'01a21e76-bceb-70c3-acd6-e61e09dedbe4','admin','user.create','01a21e76-c0ed-7f58-bd62-dbb7e95f04e2','da-khoa network','127.0.0.1');
INSERT INTO "audit" VALUES('01a21e76-c2d6-7652-9a33-dd7e2b8f45eb',1795807429335,'01a21e76-bceb-70c3-acd6-e61e09dedbe4','admin','user.create','01a21e76-c1e5-77d1-b11a-5d90be92ae9f','da-xoa admin','127.0.0.1');
INSERT INTO "audit" VALUES('01a21e76-c2d9-7a02-94fd-d157ee583f4f',1795807429338,'01a21e76-bceb-70c3-acd6-e61e09dedbe4','admin','user.change','01a21e76-bff5-73b6-b8f8-05a5f4e5b743','laichau: sites','127.0.0.1');
INSERT INTO "audit" VALUES('01a21e76-c2db-7645-b5a5-77f229261ab7',1795807429340,'01a21e76-bceb-70c3-acd6-e61e09dedbe4','admin','user.change','01a21e76-c0ed-7f58-bd62-dbb7e95f04e2','da-khoa: disabled','127.0.0.1');
INSERT INTO "audit" VALUES('01a21e76-c2dd-77c4-a0f4-9682d9d6f39c',1795807429342,'01a21e76-bceb-70c3-acd6-e61e09dedbe4','admin','user.delete','01a21e76-c1e5-77d1-b11a-5d90be92ae9f','da-xoa','127.0.0.1');
INSERT INTO "audit" VALUES('01a21e76-c2df-7488-b8da-4a9906f775dd',1795807429344,'01a21e76-bceb-70c3-acd6-e61e09dedbe4','admin','meeting.create','01a21e76-c2df-75e6-a24e-56f07921f246','Giao ban 😀 đầu tuần','127.0.0.1');
INSERT INTO "audit" VALUES('01a21e76-c2e2-7b3a-9e84-1d8748a7c618',1795807429346,'01a21e76-bceb-70c3-acd6-e61e09dedbe4','admin','meeting.start','01a21e76-c2df-75e6-a24e-56f07921f246','','127.0.0.1');
INSERT INTO "audit" VALUES('01a21e76-c2e3-773e-86ed-786929da2ec1',1795807429348,'01a21e76-bceb-70c3-acd6-e61e09dedbe4','admin','meeting.create','01a21e76-c2e3-75c9-be22-4173d8006dee','Họp "kín"','127.0.0.1');
INSERT INTO "audit" VALUES('01a21e76-c2e5-7ac9-ae43-d5a73542d212',1795807429350,'01a21e76-bceb-70c3-acd6-e61e09dedbe4','admin','meeting.create','01a21e76-c2e5-7f17-99fc-18534aea0cb9','Đã xong','127.0.0.1');
INSERT INTO "audit" VALUES('01a21e76-c2e7-77f8-9ab9-523912262f66',1795807429351,'01a21e76-bceb-70c3-acd6-e61e09dedbe4','admin','meeting.start','01a21e76-c2e5-7f17-99fc-18534aea0cb9','','127.0.0.1');
INSERT INTO "audit" VALUES('01a21e76-c2e9-7859-b50e-6d1fb6ef169b',1795807429353,'01a21e76-bceb-70c3-acd6-e61e09dedbe4','admin','meeting.end','01a21e76-c2e5-7f17-99fc-18534aea0cb9','','127.0.0.1');
INSERT INTO "audit" VALUES('01a21e76-c3e7-71e4-a4b1-b9dfa55c5f60',1795807429607,'01a21e76-bff5-73b6-b8f8-05a5f4e5b743','laichau','session.begin','01a21e76-bff5-73b6-b8f8-05a5f4e5b743','','127.0.0.1');
INSERT INTO "audit" VALUES('01a21e76-c3f6-7f52-ab24-b3b58085a624',1795807429623,'01a21e76-bff5-73b6-b8f8-05a5f4e5b743','laichau','media.join','01a21e76-c3f4-76fa-973c-4a54ab7e0171','participant Lai Châu','127.0.0.1');
INSERT INTO "audit" VALUES('01a21e76-c411-7ec9-881e-43329c660831',1795807429649,'01a21e76-bceb-70c3-acd6-e61e09dedbe4','admin','command.remove','01a21e76-c3f4-76fa-973c-4a54ab7e0171','','127.0.0.1');
INSERT INTO "audit" VALUES('01a21e76-c416-7a38-8c51-2338bfd4383c',1795807429654,'01a21e76-bceb-70c3-acd6-e61e09dedbe4','admin','meeting.change','01a21e76-c2df-75e6-a24e-56f07921f246','','127.0.0.1');
INSERT INTO "audit" VALUES('01a21e76-c51a-7699-a112-56daf80e3d25',1795807429914,NULL,'','session.refused','admin','2 times within a minute: admin, ai','127.0.0.1');
INSERT INTO "audit" VALUES('01a21e76-cf22-78ff-aef6-08b9927c5919',1795807432482,'01a21e76-bceb-70c3-acd6-e61e09dedbe4','admin','users.read','','4','127.0.0.1');
INSERT INTO "audit" VALUES('01a21e76-cf2c-7b0a-892a-3e1d6e30b755',1795807432492,'01a21e76-bceb-70c3-acd6-e61e09dedbe4','admin','audit.read','','21','127.0.0.1');
CREATE TABLE checks (id INTEGER PRIMARY KEY CHECK (id = 1), at INTEGER NOT NULL) STRICT;
INSERT INTO "checks" VALUES(1,2);
CREATE TABLE meetings (
    id TEXT PRIMARY KEY, title TEXT NOT NULL, phase TEXT NOT NULL, starts_at INTEGER NOT NULL,
    duration_minutes INTEGER NOT NULL, ended_at INTEGER, layout TEXT NOT NULL, is_locked INTEGER NOT NULL,
    capacity INTEGER NOT NULL, created_by TEXT NOT NULL REFERENCES users(id), created_at INTEGER NOT NULL,
    version INTEGER NOT NULL
, restrictions TEXT NOT NULL DEFAULT '') STRICT;
INSERT INTO "meetings" VALUES('01a21e76-c2df-75e6-a24e-56f07921f246','Giao ban 😀 đầu tuần','running',1795395600000,60,NULL,'grid',0,200,'01a21e76-bceb-70c3-acd6-e61e09dedbe4',1795807429344,4,'{"muted":[],"hidden":[],"removed":["01A21E76-BFF5-73B6-B8F8-05A5F4E5B743","Lai Châu"]}');
INSERT INTO "meetings" VALUES('01a21e76-c2e3-75c9-be22-4173d8006dee','Họp "kín"','scheduled',1798859045000,90,NULL,'speaker',1,12,'01a21e76-bceb-70c3-acd6-e61e09dedbe4',1795807429348,1,'');
INSERT INTO "meetings" VALUES('01a21e76-c2e5-7f17-99fc-18534aea0cb9','Đã xong','ended',1795395600000,60,1795807429353,'speaker',0,200,'01a21e76-bceb-70c3-acd6-e61e09dedbe4',1795807429349,3,'');
CREATE TABLE migrations (number INTEGER PRIMARY KEY, applied_at INTEGER NOT NULL) STRICT;
INSERT INTO "migrations" VALUES(1,1795807427811);
INSERT INTO "migrations" VALUES(2,1795807427811);
INSERT INTO "migrations" VALUES(3,1795807427811);
CREATE TABLE sessions (
    token_hash BLOB PRIMARY KEY, user TEXT NOT NULL REFERENCES users(id) ON DELETE CASCADE,
    created_at INTEGER NOT NULL, expires_at INTEGER NOT NULL, address TEXT NOT NULL
) STRICT;
INSERT INTO "sessions" VALUES(X'D64EE5FD6DAC563CD6360A32DDC43C2C3C46BF5F4CEE8806F8E8B4DB24DCFE36','01a21e76-bceb-70c3-acd6-e61e09dedbe4',1795807428350,4102444800000,'127.0.0.1');
INSERT INTO "sessions" VALUES(X'8311EF42F7B3DD8D789F2D8E5F61F0F00CD8519E2DE771535C9D80007AB82BE3','01a21e76-bff5-73b6-b8f8-05a5f4e5b743',1795807429607,4102444800000,'127.0.0.1');
CREATE TABLE users (
    id TEXT PRIMARY KEY, username TEXT NOT NULL UNIQUE, name TEXT NOT NULL, role TEXT NOT NULL,
    organisation TEXT NOT NULL, password_hash TEXT NOT NULL, created_at INTEGER NOT NULL
, is_disabled INTEGER NOT NULL DEFAULT 0, is_deleted INTEGER NOT NULL DEFAULT 0, sites TEXT NOT NULL DEFAULT '') STRICT;
INSERT INTO "users" VALUES('01a21e76-bceb-70c3-acd6-e61e09dedbe4','admin','Quản trị viên','admin','Ủy ban Dân tộc','scrypt$15$8$3$b9a038534ac4ebfd3bb8c28aa3ea5edc$a83c9528c7cc6f450f1ca14015ca2b59afc11c81e72967472b25769a3a6edacb',1795807428075,0,0,'');
INSERT INTO "users" VALUES('01a21e76-bf01-7434-a961-b41d6afe43ef','thuky','Thư ký “Huế”','secretary','Văn phòng Ủy ban','scrypt$15$8$3$d774147611c4f5ef0a903ddf44426c33$0dc0bef1619a3400985e44b2809f8074c9178dde85ba2be4bb3b8377992f0bed',1795807428594,0,0,'');
INSERT INTO "users" VALUES('01a21e76-bff5-73b6-b8f8-05a5f4e5b743','laichau','Lai Châu \ "12"','operator','','scrypt$15$8$3$50075b89759bb8647b39f812b8625ef6$024f96a97122353a9165b81d62e041eaec304019a31b6b6bcf160dbee0595c67',1795807428842,0,0,',*,');
INSERT INTO "users" VALUES('01a21e76-c0ed-7f58-bd62-dbb7e95f04e2','da-khoa','da-khoa','network','','scrypt$15$8$3$649829a4ba0113858c808995cb2efa28$50bf6e89f6379a09d213914d0e1bee4da84d79a11f4282330ec827204b623e83',1795807429090,1,0,'');
INSERT INTO "users" VALUES('01a21e76-c1e5-77d1-b11a-5d90be92ae9f','~01a21e76-c1e5-77d1-b11a-5d90be92ae9f','da-xoa','admin','','',1795807429334,1,1,'');
CREATE INDEX sessions_of_user ON sessions(user, created_at);
CREATE INDEX sessions_by_expiry ON sessions(expires_at);
CREATE INDEX meetings_by_phase ON meetings(phase, id);
COMMIT;
