# SPDX-License-Identifier: EUPL-1.2
"""The yardstick: paho-mqtt as its documentation shows it, with a callback that only counts.

    python -m benchmarks.paho_subscriber PORT CLIENT_ID FILTER COUNT

It acknowledges by itself, over MQTT 3.1.1, resumes the session, and ends behind the last acknowledgement.
"""

import sys

import paho.mqtt.client as mqtt
from paho.mqtt.enums import CallbackAPIVersion


def run(port: int, client_id: str, topic_filter: str, count: int) -> None:
    """Receive `count` messages."""
    left = count

    def on_message(client: mqtt.Client, _userdata: object, _message: mqtt.MQTTMessage) -> None:
        nonlocal left
        left -= 1
        if left == 0:
            client.disconnect()

    client = mqtt.Client(CallbackAPIVersion.VERSION2, client_id=client_id, clean_session=False)
    client.on_connect = lambda client, *_: client.subscribe(topic_filter, qos=1)
    client.on_message = on_message
    client.connect("127.0.0.1", port)
    client.loop_forever()


if __name__ == "__main__":
    run(int(sys.argv[1]), sys.argv[2], sys.argv[3], int(sys.argv[4]))
