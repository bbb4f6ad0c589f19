import pytest
from .every_page import PAGES
from .test_accessibility import *
def test_dbg(chromium, served):
    for name in ("mail for a new password","sign in that failed"):
        person = reach(chromium, served, name, java_script_enabled=False)
        tab = person.tab
        tab.set_viewport_size(PHONE)
        tab.evaluate("document.activeElement.blur()")
        tab.evaluate(FOCUSABLE)
        tab.evaluate("document.body.tabIndex = -1, document.body.focus(), document.body.removeAttribute('tabindex')")
        for _ in range(4):
            tab.keyboard.press("Tab")
            print(tab.evaluate("(() => {const e=document.activeElement, s=getComputedStyle(e), b=e.getBoundingClientRect(); return [e.id||e.outerHTML.slice(0,80), s.outlineStyle, s.outlineWidth, b.top, b.bottom, innerHeight, scrollY, matches=e.matches(':focus-visible')]})()"))
