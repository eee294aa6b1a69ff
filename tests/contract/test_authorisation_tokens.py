"""A token opens what its bearer may use, while it holds, where it was issued for; anything else opens nothing."""

from __future__ import annotations

import pytest

from hanse.assembly.catalogue import OF_HOST
from hanse.assembly.servers import access_of
from tests.contract.recorded import APP, REACHED, Target
from tests.contract.wired import CLIENTS
from tests.contract.world import GONE, ROLES, WIRES, World, granted, wrong

pytestmark = pytest.mark.asyncio(loop_scope="module")

BAD = ("malformed", "empty", "of another scheme", "expired", "of another key", "for another audience", "without alg")
UNFIT = ("none", "unbound", "bound to another", "of an old agreement", "expired", "foreign")


class TestTokens:
    @pytest.mark.parametrize("how", WIRES)
    async def test_an_app_reaches_its_platform_by_its_token_and_nothing_else(self, world: World, how: str) -> None:
        token = f"Bearer {self._token(world, 'mep')}"
        expected = {role: {401} for role in ROLES if role not in ("mep", "border")}
        for role, status in expected.items():
            assert await wrong(world, how, role, None, token, lambda _, s=status: s) == [], role  # type: ignore[misc]
        found = await wrong(world, how, "mep", None, token, lambda t: {REACHED} if "app" in t.users else {403})
        assert found == []

    @pytest.mark.parametrize("how", WIRES)
    async def test_another_apps_token_opens_nothing_that_names_this_app(self, world: World, how: str) -> None:
        token = f"Bearer {self._token(world, 'mep', 'app-2')}"

        def expected(target: Target) -> set[int]:
            scoped = "app_instance_id" in target.operation.path_parameters
            return {REACHED} if "app" in target.users and not scoped else {403}

        assert await wrong(world, how, "mep", None, token, expected) == []

    @pytest.mark.parametrize("how", WIRES)
    @pytest.mark.parametrize("role", ["mep", "oss", "meo"])
    @pytest.mark.parametrize("kind", BAD)
    async def test_a_token_that_does_not_hold_opens_nothing(self, world: World, how: str, role: str, kind: str) -> None:
        assert await wrong(world, how, role, None, self._bad(world, role, kind), lambda _: {401}) == []

    @pytest.mark.parametrize("kind", ["malformed", "expired", "of another key"])
    async def test_a_good_certificate_does_not_make_up_for_a_bad_token(self, world: World, kind: str) -> None:
        for role, caller in (("meo", "oss"), ("mep", "mepm"), ("oss", "administrator")):
            token = self._bad(world, role, kind)
            assert await wrong(world, "memory", role, world.identity(caller), token, lambda _: {401}) == []

    @pytest.mark.parametrize("how", WIRES)
    async def test_a_revoked_token_opens_nothing_though_it_was_believed_before(self, world: World, how: str) -> None:
        issued = world.issuer("mep").issue(APP, audience=world.north.element("mep").url, lifetime=60)
        token = f"Bearer {issued.access_token}"
        before = await wrong(world, how, "mep", None, token, lambda t: {REACHED} if "app" in t.users else {403})
        access_of(world.north.built.part("mep.harbour")).revoke(issued.jti)
        assert before == []
        assert await wrong(world, how, "mep", None, token, lambda _: {401}) == []

    @pytest.mark.parametrize("issuing", ["mep", "oss", "meo"])
    async def test_a_token_of_one_element_opens_nothing_at_another(self, world: World, issuing: str) -> None:
        """Whatever its bearer may do where it was issued, and whoever's certificate comes with it at the border."""
        right = {"mep": APP, "oss": CLIENTS["administrator"], "meo": CLIENTS["oss"]}[issuing]
        token = await granted(world, issuing, right) if issuing != "mep" else f"Bearer {self._token(world, 'mep')}"
        for role in [role for role in ROLES if role != issuing]:
            identity = world.south.of_operator() if role == "border" else None
            assert await wrong(world, "memory", role, identity, token, lambda _: {401}) == [], role

    async def test_a_partners_token_opens_nothing_inside(self, world: World) -> None:
        token = TestPartners()._token(world)
        for role in [role for role in ROLES if role != "border"]:
            for identity in (None, world.south.of_operator()):
                assert await wrong(world, "memory", role, identity, token, lambda _: {401}) == [], role

    @pytest.mark.parametrize("app", [GONE, "never-there"])
    async def test_the_token_of_an_app_that_is_gone_opens_nothing(self, world: World, app: str) -> None:
        token = f"Bearer {self._token(world, 'mep', app)}"
        assert await wrong(world, "memory", "mep", None, token, lambda _: {401}) == []

    @pytest.mark.parametrize(("role", "client"), [("oss", "customer"), ("oss", "administrator"), ("meo", "oss")])
    async def test_a_clients_token_opens_what_its_role_may_use(self, world: World, role: str, client: str) -> None:
        token = await granted(world, role, CLIENTS[client])
        found = await wrong(world, "memory", role, None, token, lambda t: {REACHED} if client in t.users else {403})
        assert found == []

    @pytest.mark.parametrize("claimed", ["customer", "administrator", "oss", "mepm", ""])
    @pytest.mark.parametrize("role", ["oss", "meo"])
    async def test_a_token_for_no_client_of_now_opens_nothing(self, world: World, role: str, claimed: str) -> None:
        for subject in ("somebody", CLIENTS.get(claimed, "nobody")):
            claims = {"role": claimed, "tenant": "acme"}
            issued = world.issuer(role).issue(
                subject, audience=world.north.element(role).url, lifetime=60, claims=claims
            )
            token = f"Bearer {issued.access_token}"
            assert await wrong(world, "memory", role, None, token, lambda _: {401}) == []

    def _token(self, world: World, role: str, subject: str = APP, lifetime: float = 60) -> str:
        audience = world.north.element(role).url
        return world.issuer(role).issue(subject, audience=audience, lifetime=lifetime).access_token

    def _bad(self, world: World, role: str, kind: str) -> str:
        good, audience = self._token(world, role), world.north.element(role).url
        claims = {"role": "administrator"}
        expired = world.issuer(role, ago=120).issue(APP, audience=audience, lifetime=60, claims=claims)
        strange = world.issuer(role, stranger=True).issue(APP, audience=audience, lifetime=60, claims=claims)
        other = world.issuer(role).issue(APP, audience="https://elsewhere.example", lifetime=60, claims=claims)
        return {
            "malformed": "Bearer " + good[:-30],
            "empty": "Bearer ",
            "of another scheme": f"Basic {good}",
            "expired": f"Bearer {expired.access_token}",
            "of another key": f"Bearer {strange.access_token}",
            "for another audience": f"Bearer {other.access_token}",
            "without alg": "Bearer eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0." + good.split(".")[1] + ".",
        }[kind]


class TestPartners:
    @pytest.mark.parametrize("how", WIRES)
    async def test_a_partner_reaches_the_border_by_certificate_and_bound_token(self, world: World, how: str) -> None:
        found = await wrong(world, how, "border", world.south.of_operator(), self._token(world), lambda _: {REACHED})
        assert found == []

    @pytest.mark.parametrize("how", WIRES)
    async def test_a_partner_reaches_no_other_element(self, world: World, how: str) -> None:
        for role in ROLES[:3] + OF_HOST:
            refusals = {401} if how == "memory" else {401, 503}
            found = await wrong(world, how, role, world.south.of_operator(), self._token(world), lambda _: refusals)  # noqa: B023
            assert found == [], role

    @pytest.mark.parametrize("how", WIRES)
    @pytest.mark.parametrize("kind", UNFIT)
    async def test_a_token_that_does_not_hold_opens_nothing(self, world: World, how: str, kind: str) -> None:
        own = world.south.of_operator()
        token = {
            "none": None,
            "unbound": self._token(world, bound_to=None),
            "bound to another": self._token(world, bound_to=world.identity("meo").thumbprint),
            "of an old agreement": self._token(world, epoch=0),
            "expired": self._token(world, ago=120),
            "foreign": self._token(world, stranger=True),
        }[kind]
        assert await wrong(world, how, "border", own, token, lambda _: {401}) == []

    async def test_a_partner_is_not_another_by_the_word_of_its_token(self, world: World) -> None:
        token = self._token(world, subject="west")
        assert await wrong(world, "memory", "border", world.south.of_operator(), token, lambda _: {401}) == []

    def _token(self, world: World, subject: str = "south", epoch: int = 1, **how: object) -> str:
        bound_to = how.pop("bound_to", world.south.of_operator().thumbprint)
        audience = world.north.built.wiring.settings.federation_url
        issued = world.issuer("border", **how).issue(
            subject,
            audience=audience,
            lifetime=60,
            bound_to=bound_to,  # type: ignore[arg-type]
            claims={"epoch": epoch},
        )
        return f"Bearer {issued.access_token}"
