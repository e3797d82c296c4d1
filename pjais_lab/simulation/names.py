"""Names of people, districts and places, and what people do for a living."""

from __future__ import annotations

from typing import Final

__all__ = ["DISTRICTS", "FIRST", "JOBS", "LAST", "PLACES", "STREETS"]

FIRST: Final = tuple(
    """Ada Alma Amos Anton Aria Basil Beata Bruno Cato Celia Clara Conrad Cora Dario Delia Dora
    Edda Elias Elsa Emil Enzo Esme Fable Felix Flora Frida Gilda Gregor Greta Hanno Hazel Hugo
    Ida Idris Ines Ivo Jasper Joan Jonas Juno Kai Katya Lars Leda Leo Linnea Lotte Ludo Mabel
    Magnus Maren Milo Mina Moss Nadia Nell Niko Nora Odile Olek Orla Oskar Otis Paloma Pavel
    Pia Quill Rafi Rhea Robin Rosa Rufus Sadie Saskia Selma Silas Sunniva Tamar Theo Tilda
    Tove Ulf Una Vera Vida Viggo Wanda Wilf Wren Xenia Yann Ylva Yusuf Zelda Zora""".split()
)

LAST: Final = tuple(
    """Abbey Alder Applegarth Ashdown Barrow Birch Bramble Brook Bywater Calloway Candle Carver
    Chandler Cobb Copper Crane Cutler Dale Darrow Dovecote Drake Elm Everly Fairweather Farrow
    Fennel Finch Fletcher Foxglove Gale Garland Glover Goodfellow Hale Harbour Harrow Hathaway
    Heron Hollis Hopper Inkpen Ivory Juniper Kestrel Kettle Lamb Larkin Lavender Linden Lovage
    Mallory Marlow Marsh Mercer Merrow Moon Nettle Nightingale Oakes Orchard Osprey Paisley
    Partridge Pepper Pike Plover Quince Redfern Reed Rook Rowan Sallow Sedge Shaw Sorrel
    Sparrow Starling Swift Tallow Tansy Teasel Thistle Thorne Underhill Vane Vetch Wader
    Warbler Weaver Wells Whitlock Wick Willow Winter Woodruff Yarrow""".split()
)

STREETS: Final = tuple(
    """Mill Lane|Kiln Row|Ropewalk|Candle Street|Duck Steps|Quince Alley|Old Wall|Chapel Hill
    |Salt Stairs|Lantern Court|Heron Walk|Tanner Yard|Plum Terrace|Bell Passage|Ferry Road
    |Beekeeper Lane""".replace("\n", "")
    .replace("    ", "")
    .split("|")
)

DISTRICTS: Final = tuple(
    """Millgate Quayside Fernhill Lowmarket Kingsmeadow Oldbridge Saltmarsh Wrenfield Highorchard
    Bellrise Ottershaw Copperbank Thornwick Larkmead Stillwater Windlass""".split()
)

PLACES: Final = {
    "bakery": ("the Rye and Thyme", "the Second Rising", "the Early Loaf"),
    "cafe": ("the Copper Kettle", "the Blue Spoon", "the Patient Bean"),
    "library": ("the Reading Rooms", "the Lantern Library", "the House of Pages"),
    "school": ("the Hill School", "the School on the Green", "the Schoolhouse"),
    "workshop": ("the Joinery", "the Long Workshop", "the Plane and Chisel"),
    "market": ("the Corn Market", "the Thursday Market", "the Covered Market"),
    "park": ("the Lime Walk", "the Duck Garden", "the Old Orchard"),
    "clinic": ("the Cottage Clinic", "the Surgery", "the Corner Clinic"),
    "pub": ("the Drowsy Heron", "the Three Buckets", "the Moon and Oar"),
    "farm": ("Upper Farm", "Hazel Farm", "the Windy Acre"),
    "harbour": ("the Ferry Landing", "the Little Harbour", "the Rope Quay"),
    "hall": ("the Town Hall", "the Moot House", "the Clock House"),
}

JOBS: Final = (
    ("baker", "bakery", 6, 13),
    ("pastry cook", "bakery", 6, 14),
    ("barista", "cafe", 7, 15),
    ("waiter", "cafe", 12, 20),
    ("librarian", "library", 9, 17),
    ("bookbinder", "library", 10, 17),
    ("teacher", "school", 8, 16),
    ("music teacher", "school", 9, 15),
    ("carpenter", "workshop", 8, 16),
    ("clockmaker", "workshop", 9, 17),
    ("potter", "workshop", 9, 16),
    ("greengrocer", "market", 7, 15),
    ("cheesemonger", "market", 8, 16),
    ("gardener", "park", 7, 15),
    ("nurse", "clinic", 8, 18),
    ("doctor", "clinic", 9, 18),
    ("publican", "pub", 14, 22),
    ("farmer", "farm", 6, 15),
    ("beekeeper", "farm", 8, 15),
    ("ferry pilot", "harbour", 6, 14),
    ("net mender", "harbour", 7, 15),
    ("town clerk", "hall", 9, 17),
    ("cartographer", "hall", 9, 16),
    ("painter", "park", 10, 15),
)
"""Occupation, workplace, first and last hour of work."""
