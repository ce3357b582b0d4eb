"""From a page of words to a narrated, illustrated, captioned film, stage by stage.

script → storyboard → pictures → voices → timeline → render → publish: each a module, each run alone if asked.
"""
