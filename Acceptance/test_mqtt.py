"""MQTT 3.1.1 and 5.0 with unmodified clients, and with bytes that no client would send."""

import itertools
import json
import ssl
import struct
import subprocess
import sys
import time

import paho.mqtt.client as mqtt
import pytest
from paho.mqtt.packettypes import PacketTypes
from paho.mqtt.properties import Properties

from clients import Paho, RawTLS
from tidegate import run, wait_for

NAMES = itertools.count(1)


@pytest.fixture(scope="module")
def server(sqlite_server):
    sqlite_server.tenant("acme")
    sqlite_server.viewer = sqlite_server.token("acme", "viewer")
    return sqlite_server


@pytest.fixture
def device(server):
    return server.enrolled("acme", f"meter-{next(NAMES)}")


@pytest.fixture(scope="module")
def shared(server):
    """A device for tests that leave nothing behind."""
    return server.enrolled("acme", "shared")


def values(device, series="power"):
    """A series' values in the order of their times; empty while there are none."""
    points = device.server.points("acme", device.name, series, device.server.viewer)
    return [value for _, value in points.get(series, [])]


def presence(device):
    answer = device.server.get(f"/tenants/acme/devices/{device.name}", device.server.viewer)
    assert answer.status_code == 200, answer.text
    return answer.json()["presence"]


def properties(packet, **given):
    made = Properties(packet)
    for name, value in given.items():
        setattr(made, name, value)
    return made


# Publishing


@pytest.mark.parametrize("version", ["mqttv311", "mqttv5"])
@pytest.mark.parametrize("qos", [0, 1, 2])
def test_mosquitto_pub_reports_with_every_quality_of_service(device, version, qos):
    device.mosquitto_pub("-V", version, "-t", "telemetry", "-q", qos, "-m", json.dumps({"power": 40 + qos}))
    wait_for(lambda: values(device) == [40 + qos], "the reading is there")


@pytest.mark.parametrize("version", [mqtt.MQTTv311, mqtt.MQTTv5])
def test_thingsboards_topic_is_a_devices_own_as_well(device, version):
    with Paho(device.server, device, version=version) as client:
        client.connected()
        client.publish("v1/devices/me/telemetry", '{"ts":1700000000000,"values":{"power":1}}')
    assert values(device) == [1]


def test_the_same_listener_speaks_mqtt_by_alpn(device):
    with Paho(device.server, device, port="device", alpn=["mqtt"]) as client:
        client.connected()
        client.publish("telemetry", '{"power":5}')
    assert values(device) == [5]


def test_user_properties_content_type_and_a_topic_alias_are_understood(device):
    with Paho(device.server, device, version=mqtt.MQTTv5) as client:
        client.connected()
        given = properties(
            PacketTypes.PUBLISH, UserProperty=[("firmware", "1.2"), ("site", "pier")], TopicAlias=3,
            ContentType="application/json", PayloadFormatIndicator=1, MessageExpiryInterval=60)
        assert not client.publish("telemetry", '{"ts":1700000000000,"values":{"power":1}}', properties=given).is_failure
        alias = properties(PacketTypes.PUBLISH, TopicAlias=3)
        assert not client.publish("", '{"ts":1700000001000,"values":{"power":2}}', properties=alias).is_failure
    assert values(device) == [1, 2]


def test_a_long_run_of_messages_in_flight_is_acknowledged_whole(device):
    count = 500
    with Paho(device.server, device, version=mqtt.MQTTv5) as client:
        client.connected()
        for number in range(count):
            client.client.publish("telemetry", json.dumps({"ts": 1700000000000 + number, "values": {"power": number}}), 1)
        wait_for(lambda: len(client.acknowledged) == count, "all are acknowledged")
        assert not any(reason.is_failure for reason in client.acknowledged.values())
    assert values(device) == list(range(count))


# What a device may not do


@pytest.mark.parametrize("topic", ["elsewhere", "telemetry/other", "desired", "$SYS/broker", "v1/devices/other/telemetry"])
def test_a_message_outside_the_devices_topics_is_refused_with_a_reason(shared, topic):
    with Paho(shared.server, shared, version=mqtt.MQTTv5) as client:
        client.connected()
        assert client.publish(topic, '{"power":1}').value == 0x90
        assert not client.publish("telemetry", '{"power":1}').is_failure, "the connection goes on"


def test_mqtt_311_has_no_word_for_it_and_is_disconnected(shared):
    with Paho(shared.server, shared) as client:
        client.connected()
        client.client.publish("elsewhere", "{}", 1)
        client.ended()
        assert not client.acknowledged


def test_a_payload_that_is_no_reading_is_refused_with_a_reason(shared):
    with Paho(shared.server, shared, version=mqtt.MQTTv5) as client:
        client.connected()
        assert client.publish("telemetry", "no reading").value == 0x99


def test_an_exactly_once_message_is_refused_in_pubrec(shared):
    # By hand, because paho does not look at the reason in PUBREC.
    with RawTLS(shared.server, shared) as raw:
        raw.send(connect_packet(level=5))
        raw.connack()
        raw.send(packet(0x34, text(b"telemetry") + b"\x00\x01" + b"\x00" + b"no reading"))
        assert raw.receive(5) == b"\x50\x03\x00\x01\x99"


def test_subscriptions_outside_the_devices_topics_are_refused_one_by_one(shared):
    for version in (mqtt.MQTTv311, mqtt.MQTTv5):
        with Paho(shared.server, shared, version=version) as client:
            client.connected()
            reasons = client.subscribe("desired", "#", "telemetry", "v1/devices/me/rpc/request/+", "$SYS/#", "tasks")
            assert [reason.is_failure for reason in reasons] == [False, True, True, False, True, False]


def test_mosquitto_sub_is_told_when_nothing_was_granted(shared):
    def mosquitto_sub(topic, seconds):
        return run(
            "mosquitto_sub", "-h", "localhost", "-p", shared.server.ports["mqtt"], "--cafile", shared.server.ca,
            "--cert", shared.certificate, "--key", shared.key, "-t", topic, "-W", seconds, check=False)

    assert b"denied" in mosquitto_sub("#", 60).stderr.lower()
    assert mosquitto_sub("desired", 1).returncode == 27, "it listens until its own time is over"


def test_nobody_comes_in_without_a_credential(server):
    assert Paho(server).refused().value in (5, 0x87)
    assert Paho(server, version=mqtt.MQTTv5).refused().value == 0x87
    assert Paho(server, version=mqtt.MQTTv5, username="guess", password="x").refused().value == 0x87


def test_a_retained_message_is_refused(shared):
    with RawTLS(shared.server, shared) as raw:
        raw.send(connect_packet(level=5) + packet(0x31, text(b"telemetry") + b"\x00" + b'{"power":1}'))
        raw.connack()
        assert raw.rest() == b"\xe0\x01\x9a", "DISCONNECT says: retain not supported"


# The connection


def test_connack_tells_a_version_5_client_what_the_server_can_do(shared):
    with Paho(shared.server, shared, version=mqtt.MQTTv5) as client:
        _, told = client.connected()
        assert told.RetainAvailable == 0
        assert 0 < told.ReceiveMaximum < 65535 and told.MaximumPacketSize == 256 * 1024
        assert told.TopicAliasMaximum > 0
        assert told.AssignedClientIdentifier == shared.name
        assert told.SubscriptionIdentifierAvailable == 0 and told.SharedSubscriptionAvailable == 0
        assert not hasattr(told, "MaximumQoS"), "all of them"


def test_a_too_long_keep_alive_is_shortened_by_the_server(shared):
    with Paho(shared.server, shared, version=mqtt.MQTTv5, keepalive=65535) as client:
        assert client.connected()[1].ServerKeepAlive == 3600


def test_a_second_connection_takes_the_session_over(device):
    # The first one by hand, because paho overlooks the reason in a DISCONNECT without properties.
    with RawTLS(device.server, device) as first:
        first.send(connect_packet(level=5))
        first.connack()
        with Paho(device.server, device, version=mqtt.MQTTv5) as second:
            second.connected()
            assert first.rest() == b"\xe0\x01\x8e", "DISCONNECT says: session taken over"
            assert not second.publish("telemetry", '{"power":1}').is_failure
            assert presence(device)["online"]


def test_a_session_is_kept_when_the_client_wants_it(device):
    def connect(clean):
        return Paho(device.server, device, client_id="kept", clean=clean)

    with connect(clean=False) as client:
        assert not client.connected()[0].session_present
        client.subscribe("desired")
    with connect(clean=False) as client:
        assert client.connected()[0].session_present
    with connect(clean=True) as client:
        assert not client.connected()[0].session_present
    with connect(clean=False) as client:
        assert not client.connected()[0].session_present


def test_a_version_5_session_lives_as_long_as_it_asked(device):
    def connect(interval):
        return Paho(
            device.server, device, version=mqtt.MQTTv5, clean_start=False,
            properties=properties(PacketTypes.CONNECT, SessionExpiryInterval=interval))

    with connect(600) as client:
        assert not client.connected()[0].session_present
    with connect(0) as client:
        assert client.connected()[0].session_present
    with connect(0) as client:
        assert not client.connected()[0].session_present


@pytest.mark.parametrize("version", [mqtt.MQTTv311, mqtt.MQTTv5])
def test_presence_follows_the_connection_and_a_lost_one_counts_as_offline(device, version):
    assert not presence(device)["online"]
    client = Paho(device.server, device, version=version, will=("telemetry", "gone", 1))
    client.connected()
    shown = wait_for(lambda: presence(device)["online"] and presence(device), "online")
    assert shown["protocol"] == "mqtt" and shown["address"] == "127.0.0.1" and shown["connections"] == 1
    client.cut()
    wait_for(lambda: not presence(device)["online"], "offline after the will")
    with Paho(device.server, device, version=version) as again:
        again.connected()
        wait_for(lambda: presence(device)["online"] and presence(device)["connections"] == 2, "online again")
    wait_for(lambda: not presence(device)["online"], "offline after DISCONNECT")


def packet(kind, body):
    """An MQTT packet: type and flags, remaining length, body."""
    length, digits = len(body), b""
    while True:
        length, digit = divmod(length, 128)
        digits += bytes([digit | (0x80 if length else 0)])
        if not length:
            return bytes([kind]) + digits + body


def text(value):
    return struct.pack(">H", len(value)) + value


def connect_packet(level=4, flags=2, keep_alive=60, client_id=b"raw", name=b"MQTT"):
    tail = b"\x00" if level == 5 else b""
    return packet(0x10, text(name) + bytes([level, flags]) + struct.pack(">H", keep_alive) + tail + text(client_id))


def publish_packet(topic=b"telemetry", payload=b'{"power":1}', flags=0x32, identifier=b"\x00\x01"):
    return packet(flags, text(topic) + (identifier if flags & 6 else b"") + payload)


def test_a_silent_connection_is_cut_off_after_one_and_a_half_times_its_keep_alive(shared):
    with RawTLS(shared.server, shared) as raw:
        raw.send(connect_packet(level=5, keep_alive=1))
        begun = time.monotonic()
        answer = raw.rest()
        assert 1.0 < time.monotonic() - begun < 10
        assert answer[0] == 0x20 and answer.endswith(b"\xe0\x01\x8d"), "DISCONNECT says: keep alive timeout"


def test_a_ping_keeps_a_connection(shared):
    with RawTLS(shared.server, shared) as raw:
        raw.send(connect_packet())
        assert raw.receive(4) == b"\x20\x02\x00\x00"
        raw.send(b"\xc0\x00")
        assert raw.receive(2) == b"\xd0\x00"


def test_a_drip_fed_packet_is_understood(device):
    with RawTLS(device.server, device) as raw:
        for byte in connect_packet() + publish_packet():
            raw.send(bytes([byte]))
        assert raw.receive(8) == b"\x20\x02\x00\x00\x40\x02\x00\x01"
    assert values(device) == [1]


def test_an_exactly_once_message_sent_twice_counts_once(device):
    payload = b'{"ts":1700000000000,"values":{"power":7}}'
    with RawTLS(device.server, device) as raw:
        raw.send(connect_packet())
        assert raw.receive(4) == b"\x20\x02\x00\x00"
        for flags in (0x34, 0x3C):
            raw.send(publish_packet(payload=payload, flags=flags))
            assert raw.receive(4) == b"\x50\x02\x00\x01"
        raw.send(b"\x62\x02\x00\x01")
        assert raw.receive(4) == b"\x70\x02\x00\x01"
    assert values(device) == [7]


def test_an_oversized_packet_ends_the_connection_before_it_is_sent(shared):
    with RawTLS(shared.server, shared) as raw:
        raw.send(connect_packet(level=5))
        raw.send(b"\x30" + b"\xff\xff\xff\x7f" + text(b"telemetry"))
        assert raw.rest().endswith(b"\xe0\x01\x95"), "DISCONNECT says: packet too large"


def test_a_packet_of_the_largest_size_is_taken(device):
    payload = json.dumps([{"ts": 1700000000000 + n, "values": {"power": n}} for n in range(5000)]).encode()
    assert 200_000 < len(payload) < 256 * 1024
    with Paho(device.server, device, version=mqtt.MQTTv5) as client:
        client.connected()
        assert not client.publish("telemetry", payload).is_failure
    assert values(device) == list(range(5000))


@pytest.mark.parametrize(
    ("what", "data"),
    {
        "http": b"GET / HTTP/1.1\r\nHost: x\r\n\r\n",
        "publish before connect": publish_packet(),
        "unknown protocol": connect_packet(name=b"MQXX"),
        "unknown level": connect_packet(level=9),
        "reserved connect flag": connect_packet(flags=3),
        "password without user name": connect_packet(flags=0x42),
        "empty client id with kept session": connect_packet(flags=0, client_id=b""),
        "client id of bad UTF-8": connect_packet(client_id=b"\xff\xfe"),
        "client id with a null": connect_packet(client_id=b"a\x00b"),
        "overlong client id": connect_packet(client_id=b"x" * 5000),
        "five length bytes": b"\x10\xff\xff\xff\xff\x01",
        "connect with bytes behind it": packet(0x10, connect_packet()[2:] + b"more"),
        "truncated connect": packet(0x10, connect_packet()[2:8]),
        "second connect": connect_packet() + connect_packet(),
        "packet type 0": connect_packet() + b"\x00\x00",
        "packet type 15": connect_packet() + b"\xf0\x00",
        "a server's packet": connect_packet() + b"\x20\x02\x00\x00",
        "quality of service 3": connect_packet() + publish_packet(flags=0x36),
        "packet identifier 0": connect_packet() + publish_packet(identifier=b"\x00\x00"),
        "topic with a wildcard": connect_packet() + publish_packet(topic=b"telemetry/#"),
        "empty topic": connect_packet() + publish_packet(topic=b""),
        "topic of bad UTF-8": connect_packet() + publish_packet(topic=b"\xc3\x28"),
        "topic longer than the packet": connect_packet() + packet(0x30, b"\x40\x00tele"),
        "topic of 300 bytes": connect_packet() + publish_packet(topic=b"t" * 300),
        "subscribe without filters": connect_packet() + packet(0x82, b"\x00\x01"),
        "subscribe with wrong flags": connect_packet() + packet(0x80, b"\x00\x01" + text(b"desired") + b"\x00"),
        "malformed filter": connect_packet() + packet(0x82, b"\x00\x01" + text(b"a#b") + b"\x00"),
        "too many filters": connect_packet() + packet(0x82, b"\x00\x01" + (text(b"desired") + b"\x00") * 100),
        "ping with a body": connect_packet() + packet(0xC0, b"x"),
        "duplicate property": packet(0x10, text(b"MQTT") + b"\x05\x02\x00\x3c" + b"\x0a" + b"\x11\x00\x00\x00\x01" * 2 + text(b"raw")),
        "unknown property": packet(0x10, text(b"MQTT") + b"\x05\x02\x00\x3c" + b"\x02\x7f\x00" + text(b"raw")),
        "topic alias 0": connect_packet(level=5) + packet(0x30, text(b"telemetry") + b"\x03\x23\x00\x00" + b"{}"),
        "topic alias beyond the maximum": connect_packet(level=5) + packet(0x30, text(b"telemetry") + b"\x03\x23\xff\xff" + b"{}"),
        "unknown topic alias": connect_packet(level=5) + packet(0x30, text(b"") + b"\x03\x23\x00\x05" + b"{}"),
        "pubrel that nobody expects, and nonsense": connect_packet() + b"\x60\x02\x00\x09",
    }.items(),
)
def test_malformed_packets_end_the_connection_and_nothing_else(shared, what, data):
    with RawTLS(shared.server, shared) as raw:
        raw.send(data)
        raw.rest()
    with Paho(shared.server, shared) as client:
        client.connected()


def test_a_client_that_never_connects_is_cut_off(server, shared):
    with RawTLS(server, shared) as raw:
        assert raw.rest() == b""


def test_violations_are_counted(server, shared):
    name = "tidegate_mqtt_violations_total"
    before = server.metric(name)
    with RawTLS(server, shared) as raw:
        raw.send(connect_packet() + b"\x00\x00")
        raw.rest()
    wait_for(lambda: server.metric(name) == before + 1, "the counter")


def test_tls_1_2_and_1_3_are_spoken_and_nothing_older(server, shared):
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        with RawTLS(server, shared, version=version) as raw:
            raw.send(connect_packet())
            assert raw.receive(4) == b"\x20\x02\x00\x00"
    done = run(
        "openssl", "s_client", "-connect", f"localhost:{server.ports['mqtt']}", "-tls1_1", "-cipher", "ALL:@SECLEVEL=0",
        input=b"", check=False)
    assert done.returncode != 0


# ThingsBoard's own client


THINGSBOARD = """
import sys
from tb_device_mqtt import TBDeviceMqttClient
port, ca, certificate, key, token = sys.argv[1:]
client = TBDeviceMqttClient("localhost", int(port), username=token or None)
client.connect(tls=True, ca_certs=ca, cert_file=certificate or None, key_file=key or None, timeout=20)
for second in range(3):
    message = {"ts": 1700000000000 + 1000 * second, "values": {"power": 10 + second, "relay": True}}
    assert client.send_telemetry(message, quality_of_service=1).get() == 0
client.disconnect()
"""


def thingsboard(device, certificate=True, token=""):
    arguments = [device.certificate, device.key] if certificate else ["", ""]
    try:
        run(sys.executable, "-c", THINGSBOARD, device.server.ports["mqtt"], device.server.ca, *arguments, token)
    except subprocess.TimeoutExpired as error:
        raise AssertionError(f"the client waits for ever: {error.stderr}") from error


def test_thingsboards_client_reports_with_a_certificate(device):
    thingsboard(device)
    assert values(device) == [10, 11, 12]


def test_thingsboards_client_reports_with_an_access_token_where_the_model_allows_it(server, tmp_path):
    for name, allowed in [("strict", False), ("lenient", True)]:
        document = tmp_path / f"{name}.json"
        document.write_text(json.dumps({"allowsAccessToken": allowed}))
        server.admin("model", "put", name, document, "--tenant", "acme")
    device = server.register("acme", "firmware", "--model", "lenient")
    token = server.admin("device", "access-token", "firmware", "--tenant", "acme")["accessToken"]
    thingsboard(device, certificate=False, token=token)
    assert values(device) == [10, 11, 12]
    server.register("acme", "modern", "--model", "strict")
    refused = server.admin("device", "access-token", "modern", "--tenant", "acme", check=False)
    assert refused.returncode == 1
