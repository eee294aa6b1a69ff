"""An app gets the resources that its descriptor asks for, and is told what it needs to find its platform."""

from __future__ import annotations

from hanse.elements.mepm import domain
from hanse.kit.values import ABSENT
from hanse.model.descriptor.application import DEFAULT_MEMORY
from hanse.model.descriptor.resources import (
    BlockStorageData,
    FileStorageData,
    ObjectStorageData,
    VirtualStorageDescriptor,
)
from hanse.model.descriptor.traffic import DNSRuleDescriptor, IpAddressType
from hanse.refpoints.mm5.platform import AppAccess
from hanse.refpoints.mm6.workloads import Allocation
from tests.unit.elements.mepm.parts import assignment

HERE = Allocation(app_instance_id="one", address="127.9.0.100", port=8080)


def test_memory_is_counted_in_millions_of_bytes_and_processors_in_thousandths() -> None:
    wanted = domain.demand(assignment())
    assert (wanted.app_instance_id, wanted.image_id) == ("one", "sha")
    assert (wanted.memory, wanted.cpu_milli) == (100_000_000, 2000)


def test_an_app_that_does_not_say_gets_a_small_share() -> None:
    wanted = domain.demand(assignment(virtual_compute_descriptor=ABSENT))
    assert (wanted.memory, wanted.cpu_milli) == (DEFAULT_MEMORY, 1000)


def test_the_platform_learns_who_the_app_is_where_it_is_and_its_rules() -> None:
    rule = DNSRuleDescriptor(
        dns_rule_id="n", domain_name="a.example.com", ip_address_type=IpAddressType.IP_V4, ip_address="127.9.1.1"
    )
    told = domain.configuration(assignment(app_dns_rule=(rule,)), HERE)
    assert (told.app_instance_id, told.tenant, told.app_name) == ("one", "acme", "app")
    assert (told.address, told.port, told.dns_rules) == ("127.9.0.100", 8080, (rule,))


def test_an_app_finds_its_platform_itself_and_its_secret_in_its_environment() -> None:
    access = AppAccess(platform_url="p", token_url="t", client_id="c", client_secret="s", authority="PEM")
    started = domain.launch(assignment(), HERE, access)
    assert started.files == {started.environment["MEC_PLATFORM_CA"]: "PEM"}
    assert started.environment == {
        "MEC_PLATFORM_URL": "p",
        "MEC_PLATFORM_CA": "platform-ca.pem",
        "MEC_APP_INSTANCE_ID": "one",
        "MEC_TOKEN_URL": "t",
        "MEC_CLIENT_ID": "c",
        "MEC_CLIENT_SECRET": "s",
        "MEC_APP_ADDRESS": "127.9.0.100",
        "MEC_APP_PORT": "8080",
    }


def test_storage_of_every_kind_is_asked_for_as_one_volume() -> None:
    block = VirtualStorageDescriptor(
        id="b", type_of_storage="BLOCK", block_storage_data=BlockStorageData(size_of_storage=0.5)
    )
    file = VirtualStorageDescriptor(
        id="f",
        type_of_storage="FILE",
        file_storage_data=FileStorageData(size_of_storage=2, file_system_protocol="nfs"),
    )
    things = VirtualStorageDescriptor(
        id="o", type_of_storage="OBJECT", object_storage_data=ObjectStorageData(max_size_of_storage=1)
    )
    bare = VirtualStorageDescriptor(id="e", type_of_storage="OBJECT", object_storage_data=ObjectStorageData())
    wanted = assignment(virtual_storage_descriptor=(block, file, things, bare))
    assert domain.configuration(wanted, HERE).storage == 3_500_000_000
    assert domain.configuration(assignment(), HERE).storage == 0


def test_an_app_with_a_volume_learns_where_it_is_and_writes_no_larger_file() -> None:
    block = VirtualStorageDescriptor(
        id="b", type_of_storage="BLOCK", block_storage_data=BlockStorageData(size_of_storage=1)
    )
    access = AppAccess(
        platform_url="p", token_url="t", client_id="c", client_secret="s", authority="PEM", volume="/volumes/one"
    )
    started = domain.launch(assignment(virtual_storage_descriptor=(block,)), HERE, access)
    assert started.environment["MEC_APP_VOLUME"] == "/volumes/one"
    assert started.largest_file == 1_000_000_000
