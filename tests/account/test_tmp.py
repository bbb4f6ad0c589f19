from tests.flows import Browser
import pytest
@pytest.mark.parametrize("path", ["/account"]+["/account/"+p for p in "profile email password factors passkeys sessions apps activity data data/delete secure".split()])
def test_page(alice: Browser, path):
    r=alice.get(path); assert r.status_code==200, r.text
    print(r.text[-3000:])
