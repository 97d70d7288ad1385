"""Every route of the portals, attacked: by a stranger, by people of the other portals, by another site, by a host."""

from __future__ import annotations

import httpx
import pytest

from ambroise.modules.identity.api import AccountKind
from tests.integration.attacks.conftest import ADDRESS, NAMES, PASSWORD, Page, Target, form_token

pytestmark = pytest.mark.asyncio(loop_scope="module")

OTHERS = "Cette page s’adresse à d’autres personnes que vous."
FORGED = "Ce formulaire n’a pas été ouvert dans ce navigateur"
# What everybody reaches, each with what it checks itself: the way in, the words, and signing on to other software.
EVERYBODY = {
    "/", "/connexion", "/connexion/code", "/connexion/activer", "/etre", "/deconnexion", "/langue", "/reglages",
    "/reglages/mot-de-passe", "/aide", "/accessibilite", "/vie-privee", "/static/{name}", "/auth", "/ecps",
    "/ecps/{id}", "/connexion/pro", "/connexion/pro/attente", "/connexion/pro/etat", "/connexion/pro/accord",
    "/connexion/pro/portail", "/connexion/pro/portail/retour", "/connexion/pro/certificat", "/connexion/pro/patient",
    "/connexion/pro/certificat/retour",
    "/deconnexion/pro", "/auth/realms/esante-wallet/protocol/openid-connect/logout",
    "/inscription", "/inscription/code", "/inscription/contacts", "/inscription/acces", "/inscription/conditions",
    "/courrier", "/cle/defi", "/connexion/cle", "/connexion/code/cle", "/reglages/cles", "/reglages/cles/ajouter",
    "/cle/premiere", "/cle/premiere/ajouter", "/connexion/pro/cle",
    "/preuve", "/preuve/cle", "/preuve/suite", "/reglages/securite", "/reglages/securite/application",
    "/reglages/securite/appareils", "/alerte",
    "/opposition", "/opposition/preuve.pdf",
    "/retrouver", "/retrouver/code", "/retrouver/guichet", "/retrouver/mot-de-passe",
    "/urgence/{token}", "/notifications/refuser", "/notifications/sw.js",
    "/vitale/app", "/vitale/heure", "/vitale/sw.js", "/vitale/manifest.webmanifest",
}  # fmt: skip
# These take requests from other sites: the protocol has them so. They change nothing by themselves, but the refusal of
# mails, which readers of mail send for a person (RFC 8058): its address bears a seal.
FROM_ELSEWHERE = {"/auth", "/auth/realms/esante-wallet/protocol/openid-connect/logout", "/notifications/refuser"}
KINDS = tuple(AccountKind)


def private(target: Target) -> list[Page]:
    return [page for page in target.pages() if page.path not in EVERYBODY]


async def told_to_go_elsewhere(browser: httpx.AsyncClient, page: Page, token: str) -> bool:
    """Whether one route refuses this person, by each of its methods, for belonging to another portal."""
    refusals = set[bool]()
    if "GET" in page.methods:
        answer = await browser.get(page.address)
        refusals.add(answer.status_code == 403 and OTHERS in answer.text)
    if "POST" in page.methods:
        answer = await browser.post(page.address, data={"jeton": token})
        refusals.add(answer.status_code == 403 and OTHERS in answer.text)
    assert len(refusals) == 1, f"{page.path} reads for people whom it does not let write, or the other way round"
    return refusals.pop()


async def test_each_route_is_of_one_portal_and_refuses_the_people_of_the_two_others(target: Target) -> None:
    browsers = {kind: await target.signed_in(kind) for kind in KINDS}
    tokens = {kind: await form_token(browser, "/reglages") for kind, browser in browsers.items()}
    counted = dict.fromkeys(KINDS, 0)
    for page in private(target):
        welcome = [kind for kind in KINDS if not await told_to_go_elsewhere(browsers[kind], page, tokens[kind])]
        assert len(welcome) == 1, (page.path, welcome)
        counted[welcome[0]] += 1
    assert all(counted.values()), "each portal has pages, or the walk proves nothing"


async def test_a_stranger_reaches_no_private_route(target: Target) -> None:
    browser = target.browser()
    token = await form_token(browser, "/connexion")
    for page in private(target):
        for method in sorted(page.methods & {"GET", "POST"}):
            data = {"jeton": token} if method == "POST" else None
            answer = await browser.request(method, page.address, data=data)
            assert answer.status_code == 303, (method, page.path, answer.status_code)
            assert answer.headers["location"].startswith("/connexion?"), (method, page.path)


async def test_no_form_is_taken_without_its_token_or_from_another_site(target: Target) -> None:
    posts = [page for page in target.pages() if "POST" in page.methods and page.path not in FROM_ELSEWHERE]
    assert len(posts) > 20
    other = await target.signed_in(AccountKind.CITIZEN)
    stolen = await form_token(other, "/reglages")
    for kind in KINDS:
        browser = await target.signed_in(kind)
        own = await form_token(browser, "/reglages")
        attacks: list[tuple[dict[str, str], dict[str, str]]] = [
            ({}, {}),
            ({"jeton": ""}, {}),
            ({"jeton": stolen}, {}),
            ({"jeton": own}, {"sec-fetch-site": "cross-site"}),
            ({"jeton": own}, {"sec-fetch-site": "same-site"}),
            ({"jeton": own}, {"origin": "https://evil.example"}),
            ({"jeton": own}, {"origin": "https://test.example.evil.example"}),
        ]
        for page in posts:
            for data, headers in attacks:
                answer = await browser.post(page.address, data=data, headers=headers)
                assert answer.status_code == 403, (kind, page.path, data, headers, answer.status_code)
                assert FORGED in answer.text
        # The control: with its own token, from our own page, the same form is read.
        taken = await browser.post("/langue", data={"jeton": own, "langue": "fr"}, headers={"origin": ADDRESS})
        assert taken.status_code == 303


async def test_every_page_refuses_frames_scripts_and_caches(target: Target) -> None:
    for kind in (None, *KINDS):
        browser = await target.signed_in(kind) if kind else target.browser()
        for page in target.pages():
            if "GET" not in page.methods or page.path == "/static/{name}":
                continue
            answer = await browser.get(page.address)
            told = (kind, page.path, answer.status_code)
            policy = answer.headers.get("content-security-policy", "")
            assert "default-src 'none'" in policy, told
            assert "frame-ancestors 'none'" in policy, told
            assert "unsafe" not in policy, told
            assert answer.headers["x-content-type-options"] == "nosniff", told
            assert answer.headers["strict-transport-security"].startswith("max-age=63072000"), told
            # The address of an emergency code is its secret: it goes nowhere, not even within the portal.
            referred = "no-referrer" if page.path == "/urgence/{token}" else "same-origin"
            assert answer.headers["referrer-policy"] == referred, told
            assert answer.headers["cache-control"] == "no-store", told


@pytest.mark.parametrize(
    "elsewhere",
    [
        "https://evil.example/",
        "//evil.example/",
        "/\\evil.example/",
        "\\\\evil.example/",
        "/\t/evil.example/",
        "/\n/evil.example/",
        "\t//evil.example/",
        "/%09/evil.example/",
        "/%2fevil.example/",
        "///evil.example/",
        "javascript:alert(1)",
        "data:text/html,x",
        "https:evil.example",
        "@evil.example",
        ".evil.example",
        "/reglages\r\nset-cookie: x=1",
    ],
)
async def test_nobody_is_sent_to_another_site(target: Target, elsewhere: str) -> None:
    browser = target.browser()
    token = await form_token(browser, "/etre")
    person = {"personne": str(target.accounts[AccountKind.CITIZEN]), "jeton": token}
    entered = await browser.post("/etre", params={"suite": elsewhere}, data=person)
    spoken = await browser.post("/langue", data={"jeton": token, "langue": "fr", "suite": elsewhere})
    for answer in (entered, spoken):
        assert answer.status_code == 303
        # As a browser reads it: tabs and ends of line are dropped, a backslash is a slash.
        read = answer.headers["location"].replace("\\", "/")
        assert httpx.URL(ADDRESS).join(read).host == "test.example"
        assert not read.startswith("//")
        assert "x=1" not in answer.headers.get("set-cookie", "")


async def test_the_way_back_leads_to_the_page_that_was_asked(target: Target) -> None:
    browser = target.browser()
    token = await form_token(browser, "/etre")
    person = {"personne": str(target.accounts[AccountKind.CITIZEN]), "jeton": token}
    entered = await browser.post("/etre", params={"suite": "/documents?page=2"}, data=person)
    assert entered.headers["location"] == "/documents?page=2"


async def test_a_session_chosen_by_somebody_else_is_never_taken(target: Target) -> None:
    browser = target.browser()
    browser.cookies.set("__Host-session", "chosen-by-somebody-else", domain="test.example")
    token = await form_token(browser, "/etre")
    person = {"personne": str(target.accounts[AccountKind.CITIZEN]), "jeton": token}
    answer = await browser.post("/etre", data=person)
    given = answer.headers["set-cookie"]
    assert "__Host-session=" in given
    assert "chosen-by-somebody-else" not in given
    stranger = target.browser()
    stranger.cookies.set("__Host-session", "chosen-by-somebody-else", domain="test.example")
    assert (await stranger.get("/accueil")).status_code == 303


async def test_entering_as_somebody_else_ends_the_session_that_was_there(target: Target) -> None:
    browser = await target.signed_in(AccountKind.CITIZEN)
    old = browser.cookies["__Host-session"]
    token = await form_token(browser, "/etre")
    await browser.post("/etre", data={"personne": str(target.accounts[AccountKind.OPERATOR]), "jeton": token})
    assert browser.cookies["__Host-session"] != old
    thief = target.browser()
    thief.cookies.set("__Host-session", old, domain="test.example")
    assert (await thief.get("/accueil")).headers["location"].startswith("/connexion")


async def test_a_half_open_session_opens_nothing(target: Target) -> None:
    browser = target.browser()
    fields = {"identifiant": NAMES[AccountKind.OPERATOR], "passe": PASSWORD}
    token = await form_token(browser, "/connexion")
    answer = await browser.post("/connexion", data={**fields, "jeton": token})
    assert answer.headers["location"].startswith("/connexion/activer"), "the password was right"
    for page in private(target):
        if "GET" in page.methods:
            assert (await browser.get(page.address)).status_code == 303, page.path


@pytest.mark.parametrize("host", ["https://evil.example", "http://evil.example:8080"])
async def test_a_host_written_by_somebody_appears_in_no_page_nor_redirection(target: Target, host: str) -> None:
    browser = target.browser(host=host, **{"x-forwarded-host": "evil.example", "forwarded": "host=evil.example"})
    for page in target.pages():
        if "GET" in page.methods and page.path != "/static/{name}":
            answer = await browser.get(page.address)
            assert "evil.example" not in answer.text, page.path
            assert "evil.example" not in answer.headers.get("location", ""), page.path
    async with target.house.client() as system:
        found = await system.get("Patient", params={"_count": "1"}, headers={"host": "evil.example"})
        assert found.status_code == 200
        assert "evil.example" not in found.text


@pytest.mark.parametrize(
    "path",
    [
        "/static/../main/app.py",
        "/static/..%2f..%2fmain%2fapp.py",
        "/static/%2e%2e/%2e%2e/pyproject.toml",
        "/static/....//pyproject.toml",
        "/static//etc/passwd",
        "/static/%2fetc%2fpasswd",
        "/static/app.css%00.js",
        "/fhir/../metrics/..%2f..",
        "/fhir/Patient/..%2f..%2fetc%2fpasswd",
    ],
)
async def test_no_path_leads_out_of_the_files_that_are_served(target: Target, path: str) -> None:
    browser = target.browser()
    request = browser.build_request("GET", ADDRESS)
    request.url = httpx.URL(ADDRESS).copy_with(raw_path=path.encode())
    answer = await browser.send(request)
    assert answer.status_code in (401, 404), (path, answer.status_code)
    assert "root:" not in answer.text
    assert "starlette" not in answer.text


@pytest.mark.parametrize(
    ("media_type", "body"),
    [
        ("multipart/form-data", b"no boundary at all"),
        ("multipart/form-data; boundary=x", b"--x\r\nnot a header\r\n\r\n"),
        ("multipart/form-data; boundary=x", b"--x\r\ncontent-disposition: form-data\r\n\r\nv\r\n--x--\r\n"),
        ("application/x-www-form-urlencoded", b"&".join(b"a%d=1" % number for number in range(400))),
        ("application/x-www-form-urlencoded", b"jeton=%ff%fe&suite=%00"),
        ("application/json", b"{}"),
        ("text/plain", b"jeton=1"),
    ],
)
async def test_a_form_that_is_not_one_is_refused_and_is_no_fault_of_ours(
    target: Target, media_type: str, body: bytes
) -> None:
    browser = await target.signed_in(AccountKind.CITIZEN)
    asked = await browser.post("/auth", content=body, headers={"content-type": media_type})
    assert 400 <= asked.status_code < 500, asked.status_code
    answer = await browser.post("/langue", content=body, headers={"content-type": media_type})
    assert answer.status_code in (400, 403), answer.status_code
