"""A modest dictionary of everyday English: irregular forms, fixed phrases and groups of synonyms."""

from __future__ import annotations

_IRREGULAR = """sent send|paid pay|took take|taken take|kept keep|left leave|bought buy|brought bring
chose choose
chosen choose|got get|gave give|given give|held hold|lost lose|made make|met meet|ran run|said say|saw see
seen see
sold sell|shown show|spent spend|stuck stick|told tell|thought think|wrote write|written write|went go|gone go
came come|broke break|broken break|began begin|begun begin|found find|fell fall|fallen fall|felt feel
built build
worn wear|torn tear|stolen steal|stole steal|hung hang|put put|set set|cut cut|children child|people person
men man|women woman|feet foot|halves half|lives life|leaves leave|copies copy|dried dry|applied apply
dearer dear
cheaper cheap|better good|best good|worse bad|rang ring|driven drive|drove drive|drawn draw|shipped ship
rooms room|does do|batteries battery|receipt receipt|delivery deliver|deliveries deliver|arrival arrive
removal remove|renewal renew|approval approve|refusal refuse|payment pay|loss lose|proof prove|choice choose
sale sell|growth grow|length long|width wide|height high|weight weigh|heavier heavy|later late|latest late
earlier early|died die|dies die|lying lie|swollen swell|thrown throw|threw throw|known know|knew know
ground grind
eaten eat|drunk drink|drank drink|spoke speak|spoken speak|understood understand|grew grow|grown grow"""

_PHRASES = """free of charge=free|at no cost=free|at no charge=free|no charge=free|no cost=free|for free=free
no extra cost=free|cost nothing=free|costs nothing=free|costs you nothing=free|without charge=free
at once=immediately|right away=immediately|straight away=immediately|as soon as=once|no longer=not anymore
as long as=while|at least=atleast|at most=atmost|no more than=atmost|not more than=atmost|up to=atmost
no less than=atleast|a maximum of=atmost|a minimum of=atleast|at the earliest=atleast|at the latest=atmost
more than=morethan|less than=lessthan|fewer than=lessthan|such as=like|of course=sure|as well=also
as well as=and
day and night=anytime|at any hour=anytime|at any time=anytime|around the clock=anytime|set off=deduct
in advance=beforehand|left out=excluded|leave out=exclude|is due=due|drop off=dropoff|pick up=collect
picked up=collect|picks up=collect|looked at=inspect|let go=release|give back=return|gives back=return
send back=return|sent back=return|sending back=return|sends back=return|bring back=return|brought back=return
take back=return|come back=return|comes back=return|goes back=return|go back=return|going back=return
get back=return|pay back=refund|paid back=refund|pays back=refund|money back=refund|switch on=activate
switched on=activate|switch off=deactivate|switched off=deactivate|turn on=activate|turn off=deactivate
turned on=activate|turned off=deactivate|give you back=return|hand over=handover|handed over=handover
hand in=handover|handed in=handover|worked out=calculated|work out=calculate|filled in=fill|fill in=fill
half a year=6 months|half an hour=30 minutes|a fortnight=2 weeks|a quarter of=25 percent|half of=50 percent
an hour and a half=90 minutes|a dozen=12|each year=yearly|every year=yearly|per year=yearly
once a year=yearly|each month=monthly|every month=monthly|per month=monthly|once a month=monthly|a year=1 year
a month=1 month|a week=1 week|a day=1 day|an hour=1 hour|a minute=1 minute|by post=mail|e mail=email
sign in=login
log in=login|logged in=login|signed in=login|log out=logout|logged out=logout|sign out=logout
signed out=logout
signs out=logout|logs out=logout|in part=partly|in full=full|in total=total|even if=evenif|even though=evenif
no matter=regardless|provided that=if|on condition that=if|only if=only if|in case=if|carried out=perform
carry out=perform|next door=neighbour|twice=2|business day=working day|business days=working days
working day=workingday|working days=workingday|weekdays=workingday"""

_GROUPS = """free gratis complimentary waived
immediate instantly immediately instant straightaway promptly
cost charge fee price pay billed expense amount sum
parcel package shipment packet
buy purchase order purchased
send ship dispatch post mail posted forward
deliver arrive reach handover brought delivered delivery
return returned
refund reimburse reimbursement refunded repay credited
exclude exempt except excluded ineligible exclusion
begin start commence
end finish stop expire lapse terminate conclude cease halt
allow permit let entitle may
forbid prohibit ban disallow
require need must necessary have-to obligatory oblige
broken faulty defective damaged fault defect flaw damage
repair fix mend
replace swap exchange replacement substitute
erase delete remove wipe deletion
keep retain store save hold stored
check inspect verify examine inspection verification test
choose select pick pick option
tell inform notify report message announce notification
ask request apply application
answer reply respond response
show display appear visible
person people human
customer client
worker employee staff technician clerk
shop store
home house
photo picture image photograph
phone telephone mobile smartphone
call ring phone
enter type input key
show prove proof evidence
receipt invoice bill
cheap inexpensive
dear expensive
fast quick quickly rapid speedy
slow slowly
big large bulky
small little minor tiny
close shut closed
open opened
clean wash rinse
dry wipe
blocked clogged jammed stuck obstructed
hack intruder break-in intrusion hacked
block lock freeze
unblock unlock unlocked reopen
cancel revoke withdraw cancellation
decline reject refuse
accept agree
claim demand
change modify edit amend alter adjust adapt
move shift reschedule postpone
limit cap maximum atmost
minimum atleast
valid effective
void invalid
period window time duration term
deduct subtract
add top
combine together joint
different another
last final
first initial
part piece component
whole entire complete full entirely completely total
partial partly
monthly month
yearly annual annually year
daily day
weekly week
member membership
account profile
plan subscription
page site website
address location place
near nearby close
wait await
use apply employ utilise
own possess
lose lost missing
find locate
contact reach write
help support assist service
danger unsafe hazard
hot heat warm
battery accumulator
light lamp glow
cable cord lead
box carton packaging
company business firm corporate
abroad international foreign overseas
domestic country
tax duty customs
transport carrier courier
driver rider courier
collect fetch gather
discount reduction rebate
bonus extra additional
automatically automatic
regardless whatever irrespective
weigh heavy weight
age old
press push hit tap click
swell swollen bulging bulge bulged
usual normal ordinary regular standard
before prior beforehand earlier
after afterwards later following subsequently
correct right proper
wrong incorrect false
own self
sign signature signed
letter mail
card voucher
code pin
water liquid
child kid
guarantee warranty cover covered
owner holder
lower reduce decrease
raise increase higher
both two
doctor medical
rest remainder remaining
protect secure safe safety security
data information details
money cash
per each
sell sold
bear shoulder
hide conceal
empty drain
fill load
transfer move
activate enable
deactivate disable off
connect link pair
repeat again
finger hand
home household
share split
original genuine
certain particular specific
single sole solely only
immediately once
spill liquid
reserve book
permit authorise
shared common
supply provide offer give grant
treat consider regard count
"""


def _pairs(text: str, sign: str) -> dict[str, str]:
    entries = (entry for line in text.splitlines() for entry in line.split("|"))
    return {left: right for left, _, right in (entry.strip().partition(sign) for entry in entries)}


IRREGULAR = _pairs(_IRREGULAR, " ")
PHRASES = _pairs(_PHRASES, "=")


def _concepts() -> dict[str, str]:
    """The name of the first group that has the word; groups do not flow into one another."""
    found: dict[str, str] = {}
    for line in _GROUPS.splitlines():
        members = line.split()
        for word in members:
            found.setdefault(word, f"={members[0]}")
    return found


CONCEPT = _concepts()
