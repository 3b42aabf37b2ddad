"""What every kind of client is asked to do: log in, speak, hear itself, be private, get an error, close. Here: Python websockets."""

import asyncio
import json
import sys

from websockets.asyncio.client import connect


async def main(url):
    async with connect(url) as a, connect(url) as b:
        await a.send(json.dumps({"type": "login", "name": "python a"}))
        users = json.loads(await a.recv())
        assert users["type"] == "user_list" and users["user_list"][-1]["name"] == "python a", users
        me = json.loads(await a.recv())["uid"]
        await b.send(json.dumps({"type": "login", "name": "猪猪"}))
        users = json.loads(await b.recv())["user_list"]
        other = users[-1]["uid"]
        assert [user["uid"] for user in users] == [me, other], users
        assert json.loads(await b.recv()) == json.loads(await a.recv())
        for to in ["all", other]:
            await a.send(json.dumps({"type": "say", "to_uid": to, "content": "hi,  all ! 😀"}))
            said = json.loads(await a.recv())
            assert (said["from_uid"], said["to_uid"], said["content"]) == (me, to, "hi,  all ! 😀"), said
            assert json.loads(await b.recv()) == said
        await a.send("nonsense")
        assert json.loads(await a.recv())["code"] == "bad-json"
        await (await a.ping(b"are you there"))
        await a.close(1000, "bye")
        assert a.close_code == 1000
        assert json.loads(await b.recv())["type"] == "logout"


asyncio.run(asyncio.wait_for(main(sys.argv[1]), 20))
print("ok")
