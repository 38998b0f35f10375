"""Everyday words that mean the same in a shop for home electronics.

Kept short on purpose: it stands for the little that a small embedding would know of English.
"""

from __future__ import annotations

_GROUPS = """
child children kid kids teenager teen son daughter minor
cart basket trolley
shop store branch outlet
phone phones mobile cellphone smartphone
receipt receipts slip till
limescale scale crust chalk descale descaling
fee cost costs price prices expensive
discount discounts cheaper cheap reduction rebate saving savings
broken faulty defective broke defect fault
damaged damage dent dents ding scratch scratches
refund refunds refunded reimburse reimbursed reimbursement
collect collected collecting collection fetch grab
choose chosen chose choosing select pick picked
vacuum hoover robot otter
dark sunset dusk
photo photos picture pictures snapshot
parcel parcels package packages
driver courier carrier postman
arrive arrives arrived arrival come comes came
expire expired expires expiry validity valid
age aged old
hill hills mountain mountains
cappuccino milk latte
espresso coffee
office studio workplace
letter note written authority
review reviews rating ratings
listen listening listens microphone mic
colleague colleagues coworker coworkers
buyer buyers purchaser purchasing
doorstep threshold thresholds sill
hot hotter heat heated boiling
laptop notebook computer pc
password passphrase passcode
login logged signed signing signin
earphone earphones earbud earbuds headphone headphones
lamp lamps light lights bulb bulbs
oven stove cooker
fridge refrigerator freezer
gift gifts present presents
buy bought buying purchase purchased
begin begins start starts started
end ends stop stops
reply replies answer answers respond
maximum max limit limits
often frequently frequency
fix repair repairs repaired mend
change changed changing alter switch
send sent sending ship ships shipped shipping post posted
money cash
delete deleted erase erased wipe wiped
abroad foreign overseas international
customs duty duties
membership member members plus
neighbour neighbours neighbor
quick fast
wet water
"""

SYNONYMS: dict[str, str] = {
    word: group.split()[0] for group in _GROUPS.strip().splitlines() for word in group.split()
}
"""Every word of a group by the group's first word."""
