from __future__ import annotations

import re

import pytest

from harness.lint.rule import Rule
from harness.lint.rules import RULES
from tests.lint.conftest import Lint

HARNESS = "[tool.harness]\n"
NAMES = [rule.name for rule in RULES]


def _project(rule: Rule, example: str) -> dict[str, str]:
    if rule.check is None:
        return {"pyproject.toml": HARNESS + example, "tests/test_one.py": ""}
    return {"pyproject.toml": HARNESS, "tests/test_one.py": example}


@pytest.mark.parametrize("rule", RULES, ids=NAMES)
def test_the_bad_example_is_found_by_its_rule_alone(rule: Rule, found: Lint) -> None:
    assert [finding.rule for finding in found(_project(rule, rule.bad))] == [rule.name]


@pytest.mark.parametrize("rule", RULES, ids=NAMES)
def test_the_good_example_is_found_by_none(rule: Rule, found: Lint) -> None:
    assert found(_project(rule, rule.good)) == ()


@pytest.mark.parametrize("rule", RULES, ids=NAMES)
def test_what_a_rule_says_is_whole(rule: Rule) -> None:
    assert re.fullmatch("[a-z]+(-[a-z]+)+", rule.name)
    assert rule.what.endswith(".")
    assert rule.why.endswith(".")
    assert not rule.instead.endswith(".")
    assert rule.check is None or rule.words
    for part in (rule.name, rule.what, rule.why, rule.instead):
        assert part in str(rule)


def test_names_are_unique() -> None:
    assert len(set(NAMES)) == len(NAMES)


DATABASE, PGLITE, SCHEMA, TRUNCATE, WORKERS, SESSION, ENGINE = NAMES
SA = "import pytest\nimport sqlalchemy as sa\nfrom sqlalchemy import create_engine, text\nURL = 'postgresql://h/d'\n"

BAD = {
    "an alias": (DATABASE, "from sqlalchemy import create_engine as ce\ndef test_a():\n    →ce('postgresql://').dispose()\n"),
    "a module's alias": (DATABASE, "import sqlalchemy as sa\ndef test_a():\n    →sa.create_engine('postgresql://').dispose()\n"),
    "a dotted import": (DATABASE, "import sqlalchemy.ext.asyncio\nasync def test_a():\n    await →sqlalchemy.ext.asyncio.create_async_engine(f'postgresql+asyncpg://{1}').dispose()\n"),
    "an import inside": (DATABASE, "def test_a(url):\n    from sqlalchemy import create_engine\n    →create_engine(url).dispose()\n"),
    "a name for the function": (DATABASE, "import sqlalchemy\nmake = sqlalchemy.create_engine\ndef test_a(url):\n    →make(url).dispose()\n"),
    "SQLModel's": (DATABASE, "from sqlmodel import create_engine\ndef test_a(url):\n    →create_engine(url).dispose()\n"),
    "a method": (DATABASE, SA + "class TestA:\n    def test_a(self):\n        →create_engine(URL).dispose()\n"),
    "setUp": (DATABASE, SA + "import unittest\nclass A(unittest.TestCase):\n    def setUp(self):\n        self.engine = →create_engine(URL)\n    def tearDown(self):\n        self.engine.dispose()\n"),
    "setup_method": (DATABASE, SA + "class TestA:\n    def setup_method(self):\n        →sa.create_engine(URL).dispose()\n"),
    "fixture()": (DATABASE, SA + "@pytest.fixture()\ndef a():\n    →create_engine(URL).dispose()\n"),
    "scope=function": (DATABASE, SA + "@pytest.fixture(scope='function')\ndef a():\n    →create_engine(URL).dispose()\n"),
    "a positional scope": (DATABASE, SA + "@pytest.fixture('function')\ndef a():\n    →create_engine(URL).dispose()\n"),
    "fixture by name": (DATABASE, SA + "from pytest import fixture as f\n@f(autouse=True)\ndef a():\n    →create_engine(URL).dispose()\n"),
    "pytest_asyncio": (DATABASE, "import pytest_asyncio\nfrom sqlalchemy.ext.asyncio import create_async_engine\n@pytest_asyncio.fixture\nasync def a(url):\n    e = →create_async_engine(url)\n    yield e\n    await e.dispose()\n"),
    "a helper": (DATABASE, SA + "def helper():\n    →create_engine(URL).dispose()\n@pytest.fixture\ndef a():\n    helper()\n"),
    "a helper's helper": (DATABASE, SA + "def one():\n    →create_engine(URL).dispose()\ndef two():\n    one()\ndef test_a():\n    two()\n"),
    "a helper that recurs": (DATABASE, SA + "def one():\n    →create_engine(URL).dispose()\n    one()\ndef test_a():\n    one()\n"),
    "a method of the class": (DATABASE, SA + "class TestA:\n    def make(self):\n        →create_engine(URL).dispose()\n    def test_a(self):\n        self.make()\n"),
    "a class of the module": (DATABASE, SA + "class Database:\n    def __init__(self):\n        self.engine = →create_engine(URL)\n    def end(self):\n        self.engine.dispose()\ndef test_a():\n    Database().end()\n"),
    "a function inside": (DATABASE, SA + "@pytest.fixture\ndef a():\n    def make():\n        →create_engine(URL).dispose()\n    return make\n"),
    "an engine under a condition": (DATABASE, SA + "def test_a(yes):\n    if yes:\n        engine = →create_engine(URL)\n        engine.dispose()\n"),
    "a server of testing.postgresql": (DATABASE, "import testing.postgresql\ndef test_a():\n    with →testing.postgresql.Postgresql() as p:\n        pass\n"),
    "its factory": (DATABASE, "import testing.postgresql\nPostgresql = testing.postgresql.PostgresqlFactory(cache_initialized_db=True)\ndef test_a():\n    with →Postgresql() as p:\n        pass\n"),
    "a container": (DATABASE, "import pytest\nfrom testcontainers.postgres import PostgresContainer\n@pytest.fixture\ndef a():\n    with →PostgresContainer('postgres:18') as c:\n        yield c\n"),
    "a clone": (DATABASE, "from pytest_postgresql import factories\npostgresql_proc = factories.postgresql_proc()\npostgresql = →factories.postgresql('postgresql_proc')\n"),
    "sqlalchemy_utils": (DATABASE, "from sqlalchemy_utils import create_database\ndef test_a(url):\n    →create_database(url)\n"),
    "CREATE DATABASE": (DATABASE, "import pytest\nfrom sqlalchemy import text\n@pytest.fixture\ndef a(c, name):\n    →c.execute(text(f'CREATE DATABASE {name}'))\n"),
    "a manager": (PGLITE, "import pytest\nfrom py_pglite import PGliteManager\n@pytest.fixture(scope='session')\ndef a():\n    with →PGliteManager() as m:\n        yield m\n"),
    "SQLAlchemy's manager": (PGLITE, "from py_pglite.sqlalchemy import SQLAlchemyPGliteManager as M\ndef test_a():\n    with →M():\n        pass\n"),
    "a manager of the module": (PGLITE, "import py_pglite\nmanager = →py_pglite.PGliteManager()\n"),
    "pglite_engine": (PGLITE, "def test_a(→pglite_engine):\n    pass\n"),
    "usefixtures": (PGLITE, "import pytest\n@pytest.mark.usefixtures(→'pglite_session')\ndef test_a():\n    pass\n"),
    "pytestmark": (PGLITE, "import pytest\npytestmark = pytest.mark.usefixtures(→'pglite_engine')\n"),
    "getfixturevalue": (PGLITE, "def test_a(request):\n    request.getfixturevalue(→'pglite_manager')\n"),
    "create_all": (SCHEMA, "from shop import Base\ndef test_a(engine):\n    →Base.metadata.create_all(bind=engine)\n"),
    "drop_all": (SCHEMA, "import pytest\nfrom shop import metadata\n@pytest.fixture\ndef a(engine):\n    yield\n    →metadata.drop_all(engine)\n"),
    "run_sync": (SCHEMA, "import pytest_asyncio\nfrom shop import Base\n@pytest_asyncio.fixture\nasync def a(c):\n    await c.run_sync(→Base.metadata.create_all)\n"),
    "Flask": (SCHEMA, "from shop import db\ndef test_a():\n    →db.create_all()\n"),
    "create_all_tables": (SCHEMA, "from py_pglite.sqlalchemy.utils import create_all_tables\ndef test_a(engine):\n    →create_all_tables(engine)\n"),
    "a truncation before": (TRUNCATE, "import pytest\n@pytest.fixture(autouse=True)\ndef a(c):\n    →c.execute('TRUNCATE a, b CASCADE')\n"),
    "a truncation of each": (TRUNCATE, "import pytest\nfrom shop import NAMES\n@pytest.fixture\ndef a(c):\n    yield\n    for t in NAMES:\n        →c.execute(f'truncate table {t}')\n"),
    "a constant": (TRUNCATE, "import pytest\nfrom sqlalchemy import text\nCLEAN = text('truncate a')\n@pytest.fixture\ndef a(c):\n    yield\n    →c.execute(CLEAN)\n"),
    "psycopg's SQL": (TRUNCATE, "from psycopg import sql\ndef teardown_function(c, t):\n    →c.execute(sql.SQL('truncate {}').format(t))\n"),
    "several statements": (TRUNCATE, "def setup_function():\n    →c.exec_driver_sql('set role a; truncate b')\n"),
    "in finally": (TRUNCATE, "def test_a(c):\n    try:\n        c.commit()\n    finally:\n        →c.execute('truncate a')\n"),
    "sorted_tables": (TRUNCATE, "import pytest\nfrom shop import Base\n@pytest.fixture\ndef a(c):\n    yield\n    for t in reversed(Base.metadata.sorted_tables):\n        c.execute(→t.delete())\n"),
    "delete(table)": (TRUNCATE, "from sqlalchemy import delete\nfrom shop import Base\ndef teardown_function():\n    [c.execute(→delete(t)) for t in Base.metadata.tables.values()]\n"),
    "delete from": (TRUNCATE, "import pytest\n@pytest.fixture\ndef a(c):\n    yield\n    →c.execute('DELETE FROM accounts')\n"),
    "clear_all_data": (TRUNCATE, "import pytest\nfrom py_pglite.sqlalchemy.utils import clear_all_data\n@pytest.fixture\ndef a(engine):\n    yield\n    →clear_all_data(engine)\n"),
    "a session": (SESSION, "from sqlalchemy.orm import Session\ndef test_a(engine):\n    s = →Session(engine)\n    s.commit()\n"),
    "a session that is yielded": (SESSION, "import pytest\nfrom sqlalchemy.orm import Session\n@pytest.fixture\ndef a(engine):\n    yield →Session(engine)\n"),
    "a session that is returned": (SESSION, "import pytest\nfrom sqlmodel import Session\n@pytest.fixture(scope='session')\ndef a(engine):\n    s = →Session(engine)\n    return s\n"),
    "sessionmaker": (SESSION, "from sqlalchemy.orm import sessionmaker\nLocal = sessionmaker()\ndef test_a():\n    s = →Local()\n    s.commit()\n"),
    "sessionmaker of a global": (SESSION, "from sqlalchemy.orm import sessionmaker\ndef setup_module():\n    global Local\n    Local = sessionmaker()\ndef test_a():\n    s = →Local()\n"),
    "sessionmaker of self": (SESSION, "from sqlalchemy.orm import sessionmaker\nclass TestA:\n    def setup_method(self):\n        self.make = sessionmaker()\n    def test_a(self):\n        s = →self.make()\n"),
    "sessionmaker()()": (SESSION, "from sqlalchemy.ext.asyncio import async_sessionmaker\nasync def test_a(e):\n    s = →async_sessionmaker(e)()\n    await s.commit()\n"),
    "SessionLocal": (SESSION, "from shop import SessionLocal\ndef test_a():\n    s = →SessionLocal()\n"),
    "a chain": (SESSION, "from sqlalchemy.orm import Session\ndef test_a(e):\n    assert →Session(e).query(1).all()\n"),
    "self": (SESSION, "from sqlalchemy.orm import Session\nclass TestA:\n    def setup_method(self):\n        self.s = →Session()\n"),
    "a helper's session": (SESSION, "from sqlalchemy.orm import Session\ndef make():\n    s = Session()\n    return s\ndef test_a():\n    s = →make()\n"),
    "psycopg": (SESSION, "import psycopg\ndef test_a():\n    c = →psycopg.connect('')\n    c.execute('select 1')\n"),
    "asyncpg": (SESSION, "import asyncpg\nasync def test_a():\n    c = await →asyncpg.connect('')\n"),
    "AsyncConnection": (SESSION, "from psycopg import AsyncConnection\nasync def test_a():\n    c = await →AsyncConnection.connect('')\n"),
    "an engine of a session": (ENGINE, SA + "@pytest.fixture(scope='session')\ndef a():\n    engine = →create_engine(URL)\n    yield engine\n"),
    "an engine of an unknown scope": (ENGINE, SA + "from shop import SCOPE\n@pytest.fixture(scope=SCOPE)\ndef a():\n    return →create_engine(URL)\n"),
    "setUpClass": (ENGINE, SA + "import unittest\nclass A(unittest.TestCase):\n    @classmethod\n    def setUpClass(cls):\n        cls.engine = →create_engine(URL)\n"),
    "a helper's engine": (ENGINE, SA + "def make():\n    return create_engine(URL)\n@pytest.fixture(scope='module')\ndef a():\n    yield →make()\n"),
}  # fmt: skip
"""What it is → the rule and the source, with an arrow before what is found."""


@pytest.mark.parametrize("name", BAD)
def test_what_is_found(name: str, found: Lint) -> None:
    rule, marked = BAD[name]
    before, _, after = marked.partition("→")
    place = (before.count("\n") + 1, len(before) - before.rfind("\n"))
    findings = found({"pyproject.toml": HARNESS, "tests/test_one.py": before + after})
    assert [(each.rule, each.where.line, each.where.column) for each in findings] == [
        (rule, *place)
    ]


GOOD = {
    "an engine of the session": SA + "@pytest.fixture(scope='session')\ndef engine():\n    engine = create_engine(URL)\n    try:\n        yield engine\n    finally:\n        engine.dispose()\n@pytest.fixture\ndef connection(engine):\n    with engine.connect() as c:\n        yield c\n",
    "module, package and class scopes": SA + "".join(f"@pytest.fixture(scope='{each}')\ndef {each}_engine():\n    engine = create_engine(URL)\n    yield engine\n    engine.dispose()\n" for each in ("module", "package", "class")),
    "a positional scope": SA + "@pytest.fixture('session')\ndef engine():\n    engine = create_engine(URL)\n    yield engine\n    engine.dispose()\n",
    "a scope that is not known": SA + "from shop import scope\n@pytest.fixture(scope=scope)\ndef engine():\n    engine = create_engine(URL)\n    yield engine\n    engine.dispose()\n",
    "options that are not known": SA + "from shop import OPTIONS\n@pytest.fixture(**OPTIONS)\ndef engine():\n    engine = create_engine(URL)\n    yield engine\n    engine.dispose()\n",
    "an engine of the module": SA + "engine = create_engine(URL)\ndef test_a():\n    with engine.connect():\n        pass\n",
    "a default": SA + "def test_a(engine=create_engine(URL)):\n    pass\n",
    "a parameter of a mark": SA + "@pytest.mark.parametrize('engine', [create_engine(URL)])\ndef test_a(engine):\n    pass\n",
    "a helper of a session's fixture": SA + "def make():\n    return create_engine(URL)\n@pytest.fixture(scope='session')\ndef engine():\n    engine = make()\n    yield engine\n    engine.dispose()\n",
    "a helper that nobody calls": SA + "def make():\n    return create_engine(URL)\n",
    "a helper that is cached": SA + "import functools\n@functools.lru_cache(maxsize=None)\ndef make():\n    return create_engine(URL)\ndef test_a():\n    make()\n",
    "a global that is made once": SA + "_engine = None\ndef get():\n    global _engine\n    if _engine is None:\n        _engine = create_engine(URL)\n    return _engine\ndef test_a():\n    get()\n",
    "another create_engine": "from shop.cars import create_engine\ndef test_a():\n    assert create_engine('V8')\n",
    "a parameter of that name": "import sqlalchemy\ndef test_a(create_engine):\n    assert create_engine('V8')\n",
    "a function of that name": "import sqlalchemy\ndef test_a():\n    def create_engine(kind):\n        return kind\n    assert create_engine('V8')\n",
    "a fixture of a helper's name": SA + "def make():\n    create_engine(URL).dispose()\ndef test_a(make):\n    make()\n",
    "a mock": "from unittest import mock\n@mock.patch('sqlalchemy.create_engine')\ndef test_a(create_engine):\n    create_engine('postgresql://h/d')\n",
    "text": "def test_a(pytester):\n    pytester.makepyfile('from sqlalchemy import create_engine\\ndef test_b():\\n    create_engine(1)')\n",
    "an engine that cannot be made": SA + "def test_a():\n    with pytest.raises(sa.exc.ArgumentError):\n        create_engine('nonsense')\n",
    "a connection that is refused": "import asyncio, asyncpg, pytest\ndef test_a():\n    async def connect():\n        await asyncpg.connect('')\n    with pytest.raises(OSError):\n        asyncio.run(connect())\n",
    "a connection that unittest sees refused": "import psycopg, unittest\nclass A(unittest.TestCase):\n    def test_a(self):\n        with self.assertRaises(OSError):\n            c = psycopg.connect('')\n",
    "an engine on a connection that is there": SA + "def test_a(db_connection):\n    create_engine('postgresql+psycopg://', creator=lambda: db_connection).dispose()\n",
    "SQLite": SA + "def test_a(tmp_path):\n    create_engine('sqlite://')\n    create_engine(f'sqlite:///{tmp_path}')\n    create_engine('sqlite:///' + str(tmp_path))\n    create_engine(url='sqlite://')\n",
    "SQLite by a constant": SA + "MEMORY = 'sqlite://'\n@pytest.fixture\ndef engine():\n    return create_engine(MEMORY)\n",
    "SQLite by an option": SA + "from shop import MEMORY\n@pytest.fixture\ndef engine():\n    return create_engine(MEMORY, connect_args={'check_same_thread': False})\n",
    "MySQL": SA + "def test_a():\n    create_engine(sa.URL.create('mysql+pymysql'))\n",
    "SQLite's tables": "from sqlalchemy import create_engine\nfrom shop import Base\ndef test_a():\n    Base.metadata.create_all(create_engine('sqlite://'))\n",
    "SQLite's tables beside PostgreSQL": SA + "from shop import Base\ndef test_a():\n    engine = create_engine('sqlite://')\n    Base.metadata.create_all(engine)\n    Base.metadata.create_all(bind=create_engine('sqlite://'))\n",
    "create_mock_engine": SA + "def test_a():\n    engine = sa.create_mock_engine(URL, print)\n    sa.MetaData().create_all(engine)\n",
    "no pool": SA + "from sqlalchemy.pool import NullPool\n@pytest.fixture(scope='session')\ndef engine():\n    return create_engine(URL, poolclass=NullPool)\n",
    "disposed of by a finalizer": SA + "@pytest.fixture(scope='session')\ndef engine(request):\n    engine = create_engine(URL)\n    request.addfinalizer(engine.dispose)\n    return engine\n",
    "disposed of by a callback": SA + "@pytest.fixture(scope='session')\ndef engine(stack):\n    engine = create_engine(URL)\n    stack.callback(engine.dispose)\n    return engine\n",
    "disposed of by another fixture": SA + "@pytest.fixture(scope='session')\ndef engine():\n    return create_engine(URL)\n@pytest.fixture(scope='session', autouse=True)\ndef end(engine):\n    yield\n    engine.dispose()\n",
    "disposed of asynchronously": "import pytest_asyncio\nfrom sqlalchemy.ext.asyncio import create_async_engine\n@pytest_asyncio.fixture(scope='session', loop_scope='session')\nasync def engine(url):\n    engine = create_async_engine(url)\n    yield engine\n    await engine.dispose()\n",
    "disposed of by what is inside": "import pytest_asyncio\nfrom sqlalchemy.ext.asyncio import create_async_engine\n@pytest_asyncio.fixture(scope='session')\nasync def engine(url):\n    engine = create_async_engine(url)\n    yield engine\n    engine.sync_engine.dispose()\n",
    "disposed of by a class": SA + "import unittest\nclass A(unittest.TestCase):\n    @classmethod\n    def setUpClass(cls):\n        cls.engine = create_engine(URL)\n    @classmethod\n    def tearDownClass(cls):\n        cls.engine.dispose()\n",
    "execution options": SA + "@pytest.fixture(scope='session')\ndef engine():\n    engine = create_engine(URL).execution_options(a=1)\n    yield engine\n    engine.dispose()\n",
    "a container of the session": "import pytest\nfrom testcontainers.postgres import PostgresContainer\n@pytest.fixture(scope='session')\ndef server():\n    with PostgresContainer('postgres:18') as server:\n        yield server\n",
    "another container": "from testcontainers.redis import RedisContainer\ndef test_a():\n    with RedisContainer():\n        pass\n",
    "a server of pytest-postgresql": "from pytest_postgresql import factories\npostgresql_proc = factories.postgresql_proc()\n",
    "a manager for annotations": "from py_pglite import PGliteManager\ndef test_a(manager: PGliteManager):\n    assert isinstance(manager, PGliteManager)\n",
    "a manager that is refused": "import pytest\nfrom py_pglite import PGliteManager\ndef test_a():\n    with pytest.raises(RuntimeError):\n        PGliteManager().start()\n",
    "a helper named like a fixture": "def show(pglite_engine):\n    return pglite_engine\n",
    "an own fixture of that name": "import pytest\n@pytest.fixture\ndef pglite_session(db_session):\n    return db_session\ndef test_a(pglite_session):\n    pass\n",
    "tables of the session": "import pytest\nfrom shop import Base\n@pytest.fixture(scope='session')\ndef tables(engine):\n    Base.metadata.create_all(engine)\n    yield\n    Base.metadata.drop_all(engine)\n",
    "tables in a transaction": "from shop import Base\ndef test_a(db_connection, db_session):\n    Base.metadata.create_all(db_connection)\n    Base.metadata.create_all(bind=db_session.connection())\n    Base.metadata.create_all(db_connection.engine)\n",
    "another create_all": "def test_a(service):\n    service.create_all([1])\n    service.users.create_all([1])\n",
    "a truncation that is tested": "def test_a(db_connection):\n    db_connection.exec_driver_sql('truncate accounts')\n    db_connection.exec_driver_sql('delete from accounts')\n",
    "a truncation in a spec": "import pytest\n@pytest.fixture\ndef emptied(run_spec):\n    run_spec({'operations': [{'sql': 'truncate accounts', 'expect': {'changes': {}}}]})\n",
    "date_trunc": "import pytest\n@pytest.fixture\ndef a(c):\n    c.execute('select date_trunc(1)')\n    c.execute('select truncate(1)')\n",
    "words of a docstring": "import pytest\n@pytest.fixture\ndef a(c):\n    \"\"\"TRUNCATE is not what this does.\"\"\"\n    c.log('truncate accounts')  # TRUNCATE\n",
    "a truncation of the session": "import pytest\n@pytest.fixture(scope='session')\ndef a(c):\n    c.execute('truncate accounts')\n",
    "a deletion of some rows": "import pytest\n@pytest.fixture\ndef a(c):\n    yield\n    c.execute('delete from accounts where id = 1')\n",
    "a deletion before the test": "import pytest\n@pytest.fixture\ndef a(c):\n    c.execute('delete from accounts')\n    yield\n",
    "a loop over tables": "import pytest\nfrom shop import Base\n@pytest.fixture\ndef a(c):\n    for t in Base.metadata.sorted_tables:\n        c.execute(t.select())\n",
    "a deletion in a loop": "def test_a(client):\n    for name in client.names:\n        client.delete(name)\n",
    "with": "from sqlalchemy.orm import Session, sessionmaker\nfrom sqlalchemy.ext.asyncio import AsyncSession\ndef test_a(engine):\n    with Session(engine) as s, sessionmaker(engine)() as t, sessionmaker(engine).begin() as u:\n        pass\nasync def test_b(engine):\n    async with AsyncSession(engine) as s, s.begin():\n        pass\n",
    "with, later": "from sqlalchemy.orm import Session\ndef test_a(engine):\n    s = Session(engine)\n    with s:\n        pass\n",
    "closing": "from contextlib import closing\nimport psycopg\ndef test_a():\n    with closing(psycopg.connect('')) as c:\n        pass\n",
    "ExitStack": "from contextlib import ExitStack\nfrom sqlalchemy.orm import Session\ndef test_a():\n    with ExitStack() as stack:\n        s = stack.enter_context(Session())\n        t = Session()\n        stack.push(t)\n",
    "close": "from sqlalchemy.orm import Session\ndef test_a(e):\n    s: Session = Session(e)\n    s.commit()\n    s.close()\n",
    "close around it": "from sqlalchemy.orm import Session\ndef test_a(e):\n    s = None\n    def make():\n        nonlocal s\n        s = Session(e)\n    make()\n    s.close()\n",
    "close at once": "from sqlalchemy.orm import Session\ndef test_a(e):\n    Session(e).close()\n",
    "close in finally": "import pytest\nfrom sqlalchemy.orm import Session\n@pytest.fixture\ndef a(e):\n    s = Session(e)\n    try:\n        yield s\n    finally:\n        s.close()\n",
    "await close": "import asyncpg\nasync def test_a():\n    c = await asyncpg.connect('')\n    await c.close()\n",
    "close in tearDown": "from sqlalchemy.orm import Session\nimport unittest\nclass A(unittest.TestCase):\n    def setUp(self):\n        self.s = s = Session()\n    def tearDown(self):\n        self.s.close()\n",
    "addCleanup": "from sqlalchemy.orm import Session\nimport unittest\nclass A(unittest.TestCase):\n    def setUp(self):\n        self.s = Session()\n        self.addCleanup(self.s.close)\n",
    "close_all_sessions": "from sqlalchemy.orm import Session, close_all_sessions\ndef test_a():\n    s = Session()\n    close_all_sessions()\n",
    "scoped_session": "from sqlalchemy.orm import scoped_session, sessionmaker\nLocal = scoped_session(sessionmaker())\ndef test_a():\n    s = Local()\n    Local.remove()\n",
    "a helper's session": "from sqlalchemy.orm import Session\ndef make(e):\n    s = Session(e)\n    return s\ndef test_a(e):\n    with make(e) as s:\n        pass\n    t = make(e)\n    t.close()\n",
    "a session that somebody else gets": "from sqlalchemy.orm import Session\nfrom shop import Unit, app\ndef test_a(e):\n    unit = Unit(Session(e))\n    app.session = Session(e)\n    app.sessions['a'] = Session(e)\n    app.make = lambda: Session(e)\n",
    "a generator for an application": "from shop import app, get_session, SessionLocal\ndef test_a():\n    def override():\n        s = SessionLocal()\n        try:\n            yield s\n        finally:\n            s.close()\n    app.dependency_overrides[get_session] = override\n",
    "other sessions": "import requests, aiohttp\nfrom shop import Session\ndef test_a():\n    s = requests.Session()\n    t = aiohttp.ClientSession()\n    u = Session()\n",
    "a factory of a factory": "from sqlalchemy import Engine\nfrom shop import Config\ndef test_a():\n    c = Config()\n    m = c.create_session_maker()\n    n = c.get_sessionmaker()\n    o = c.session_maker()\n",
    "db_session": "from sqlalchemy import select\nfrom sqlalchemy.orm import Session\nfrom shop import User\ndef test_a(db_session: Session):\n    assert db_session.scalars(select(User)).all() == []\n",
}  # fmt: skip


@pytest.mark.parametrize("name", GOOD)
def test_what_is_not_found(name: str, found: Lint) -> None:
    assert [
        str(each) for each in found({"pyproject.toml": HARNESS, "tests/test_one.py": GOOD[name]})
    ] == []


MAKES = (
    SA
    + "def test_connection():\n    engine = create_engine(URL)\n    engine.connect()\n    Base.metadata.create_all(engine)\n"
)


@pytest.mark.parametrize(
    "path",
    ["shop/database.py", "migrations/env.py", "benchmarks/bench_tests.py", "tests/helpers.py"],
)
def test_what_pytest_does_not_run_is_nobodys_test(path: str, found: Lint) -> None:
    assert found({"pyproject.toml": HARNESS, path: MAKES}) == ()


def test_files_of_tests_may_be_called_otherwise(found: Lint) -> None:
    settings = '[tool.harness]\n[tool.pytest.ini_options]\npython_files = "check_*.py"\n'
    assert {
        each.rule
        for each in found({"pyproject.toml": settings, "check_a.py": MAKES, "test_a.py": MAKES})
    } == {DATABASE, SCHEMA, ENGINE}
    assert {str(each.where.path) for each in found({})} == {"check_a.py"}


def test_without_harness_a_manager_for_each_test_is_a_database_for_each(found: Lint) -> None:
    source = "import pytest\nfrom py_pglite import PGliteManager\n@pytest.fixture(scope={})\ndef manager():\n    with PGliteManager() as manager:\n        yield manager\n"
    findings = found(
        {"test_a.py": source.format("'function'"), "test_b.py": source.format("'session'")}
    )
    assert [(str(each.where.path), each.rule) for each in findings] == [("test_a.py", DATABASE)]


@pytest.mark.parametrize("folder", ["", "tests/", "tests/unit/"])
def test_a_fixture_of_a_conftest_above_is_ones_own(folder: str, found: Lint) -> None:
    own = "import pytest\n@pytest.fixture\ndef pglite_session(db_session):\n    return db_session\n"
    test = "def test_a(pglite_session):\n    pass\n"
    files = {"pyproject.toml": HARNESS, f"{folder}conftest.py": own, "tests/unit/test_a.py": test}
    assert found(files) == ()
    assert [each.rule for each in found({"tests/other/test_a.py": test})] == (
        [PGLITE] if folder == "tests/unit/" else []
    )


def test_a_helper_is_told_with_what_brings_it(found: Lint) -> None:
    source = (
        SA
        + "def make():\n    return create_engine(URL)\n\n@pytest.fixture\ndef engine():\n    engine = make()\n    yield engine\n    engine.dispose()\n"
    )
    assert [str(each) for each in found({"test_a.py": source})] == [
        "test_a.py:6:12: database-per-test: an engine is made for each test, in make, by way of the "
        "fixture engine (line 9); ask for db_session or db_connection: the worker's one database, "
        "and a transaction for each test that is rolled back"
    ]


def test_an_engine_for_each_test_may_be_left_open_besides(found: Lint) -> None:
    source = SA + "def test_a():\n    engine = create_engine(URL)\n"
    assert [each.rule for each in found({"test_a.py": source})] == [DATABASE, ENGINE]


def test_tables_that_are_made_and_dropped_are_told_of_once(found: Lint) -> None:
    source = "import pytest\nfrom shop import Base\n@pytest.fixture\ndef tables(engine):\n    Base.metadata.create_all(engine)\n    yield\n    Base.metadata.drop_all(engine)\n"
    assert [each.where.line for each in found({"test_a.py": source})] == [5]


def test_columns_count_characters(found: Lint) -> None:
    source = SA + "def test_a():\n    ä = 'ö' * 2; create_engine(URL).dispose()\n"
    assert [each.where.column for each in found({"test_a.py": source})] == [18]


INI = "[{}]\naddopts = -q\n  --dist loadfile {}\n"


@pytest.mark.parametrize(
    ("options", "workers"),
    [
        ("-n 8", "8"),
        ("-n8", "8"),
        ("-n=8", "8"),
        ("-n auto", "auto"),
        ("-nlogical", "logical"),
        ("--numprocesses 3", "3"),
        ("--numprocesses=auto", "auto"),
        ("-n 2 -n 4", "4"),
        ("-n auto --maxprocesses 3", "auto"),
        ("-n auto --maxprocesses=2", None),
        ("-n 2", None),
        ("-n1", None),
        ("-n 0", None),
        ("-n 4 -n 2", None),
        ("-n 4 --harness-max-workers 4", None),
        ("-n 8 --harness-max-workers=4", "8"),
        ("-n 2 --harness-max-workers=1", "2"),
        ("-m 'not slow' -k n8", None),
        ("--dist loadscope", None),
    ],
)
@pytest.mark.parametrize(
    ("file", "section"),
    [("pytest.ini", "pytest"), ("tox.ini", "pytest"), ("setup.cfg", "tool:pytest")],
)
def test_workers_in_addopts(
    file: str, section: str, options: str, workers: str | None, found: Lint
) -> None:
    findings = found({file: INI.format(section, options), "test_a.py": ""})
    assert [(str(each.where.path), each.where.line, each.rule) for each in findings] == (
        [(file, 3, WORKERS)] if workers else []
    )
    for each in findings:
        assert f"asks for {workers} workers" in each.what


@pytest.mark.parametrize(
    ("settings", "place"),
    [
        ('[tool.pytest.ini_options]\naddopts = ["-q", "-n", "8"]\n', (2, 19)),
        ('[tool.pytest.ini_options]\naddopts = [\n  "-q",\n  "-n",\n  "8",\n]\n', (4, 4)),
        ('[tool.pytest.ini_options]\naddopts = "-n 8"\n', (2, 12)),
        ('[tool.pytest]\naddopts = ["--numprocesses=8"]\n', (2, 13)),
        ('[tool.harness]\nmax_workers = 8\n[tool.pytest.ini_options]\naddopts = "-n 8"\n', None),
        ('[tool.harness]\nmax_workers = 7\n[tool.pytest.ini_options]\naddopts = "-n 8"\n', (4, 12)),
        ('[tool.harness]\nmax_workers = 1\n[tool.pytest.ini_options]\naddopts = "-n 2"\n', (4, 12)),
    ],
)
def test_workers_in_pyproject(settings: str, place: tuple[int, int] | None, found: Lint) -> None:
    findings = found({"pyproject.toml": settings, "test_a.py": ""})
    assert [(each.where.line, each.where.column) for each in findings] == ([place] if place else [])


def test_only_the_settings_that_pytest_reads_count(found: Lint) -> None:
    ignored = '[tool.pytest.ini_options]\naddopts = "-n 8"\n'
    assert found({"pytest.ini": "[pytest]\n", "pyproject.toml": ignored, "test_a.py": ""}) == ()
