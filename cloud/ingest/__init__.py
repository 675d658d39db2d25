"""Takes in what devices send: accepts event by event, commits, settles, and keeps aside what it refuses.

subscriber ──▶ Acceptor (pure) ──▶ status lane ──▶ ledger ───────────────┐
                   │                track lane ──▶ telemetry ─▶ ledger ──┤
                   └──▶ fleet ◀── what was committed ◀───────────────────┴──▶ settle, state
"""
