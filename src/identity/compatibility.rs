//! Unicode's compatibility forms (NFKC, <https://www.unicode.org/reports/tr15/>) of the characters
//! of user names.
//!
//! The NFKC of a text is ASCII only if the NFKC of each of its characters is: no characters compose
//! to ASCII, and a mark after a letter is not ASCII itself. So two short tables are enough. They
//! have the characters whose NFKC consists of letters, digits, `.`, `_`, `+`, `-`, `@`, `\` and
//! spaces. Any other character stays as it is, and no grammar of names accepts it.

use std::str::Chars;

/// Runs of characters that each become one: the first character of the run, and the first and last
/// character that the run becomes. Unicode 17.
const RUNS: &str = "\
    \u{a0}\x20\x20\u{aa}aa\u{b2}23\u{b9}11\u{ba}oo\u{17f}ss\u{2b0}hh\u{2b2}jj\u{2b3}rr\u{2b7}ww\
    \u{2b8}yy\u{2e1}ll\u{2e2}ss\u{2e3}xx\u{1d2c}AA\u{1d2e}BB\u{1d30}DE\u{1d33}GN\u{1d3c}OO\
    \u{1d3e}PP\u{1d3f}RR\u{1d40}TU\u{1d42}WW\u{1d43}aa\u{1d47}bb\u{1d48}de\u{1d4d}gg\u{1d4f}kk\
    \u{1d50}mm\u{1d52}oo\u{1d56}pp\u{1d57}tu\u{1d5b}vv\u{1d62}ii\u{1d63}rr\u{1d64}uv\u{1d9c}cc\
    \u{1da0}ff\u{1dbb}zz\u{2000}\x20\x20\u{2001}\x20\x20\u{2002}\x20\x20\u{2003}\x20\x20\
    \u{2004}\x20\x20\u{2005}\x20\x20\u{2006}\x20\x20\u{2007}\x20\x20\u{2008}\x20\x20\
    \u{2009}\x20\x20\u{200a}\x20\x20\u{2024}..\u{202f}\x20\x20\u{205f}\x20\x20\u{2070}00\u{2071}ii\
    \u{2074}49\u{207a}++\u{207f}nn\u{2080}09\u{208a}++\u{2090}aa\u{2091}ee\u{2092}oo\u{2093}xx\
    \u{2095}hh\u{2096}kn\u{209a}pp\u{209b}st\u{209d}ww\u{209e}yz\u{2102}CC\u{210a}gg\u{210b}HH\
    \u{210c}HH\u{210d}HH\u{210e}hh\u{2110}II\u{2111}II\u{2112}LL\u{2113}ll\u{2115}NN\u{2119}PR\
    \u{211c}RR\u{211d}RR\u{2124}ZZ\u{2128}ZZ\u{212a}KK\u{212c}BC\u{212f}ee\u{2130}EF\u{2133}MM\
    \u{2134}oo\u{2139}ii\u{2145}DD\u{2146}de\u{2148}ij\u{2160}II\u{2164}VV\u{2169}XX\u{216c}LL\
    \u{216d}CD\u{216f}MM\u{2170}ii\u{2174}vv\u{2179}xx\u{217c}ll\u{217d}cd\u{217f}mm\u{2460}19\
    \u{24b6}AZ\u{24d0}az\u{24ea}00\u{2c7c}jj\u{2c7d}VV\u{3000}\x20\x20\u{a7f1}SS\u{a7f2}CC\
    \u{a7f3}FF\u{a7f4}QQ\u{fb29}++\u{fe33}__\u{fe34}__\u{fe4d}__\u{fe4e}__\u{fe4f}__\u{fe52}..\
    \u{fe62}++\u{fe63}--\u{fe68}\\\\\u{fe6b}@@\u{ff0b}++\u{ff0d}-.\u{ff10}09\u{ff20}@Z\u{ff3c}\\\\\
    \u{ff3f}__\u{ff41}az\u{107a5}qq\u{1ccd6}AZ\u{1ccf0}09\u{1d400}AZ\u{1d41a}az\u{1d434}AZ\
    \u{1d44e}ag\u{1d456}iz\u{1d468}AZ\u{1d482}az\u{1d49c}AA\u{1d49e}CD\u{1d4a2}GG\u{1d4a5}JK\
    \u{1d4a9}NQ\u{1d4ae}SZ\u{1d4b6}ad\u{1d4bb}ff\u{1d4bd}hn\u{1d4c5}pz\u{1d4d0}AZ\u{1d4ea}az\
    \u{1d504}AB\u{1d507}DG\u{1d50d}JQ\u{1d516}SY\u{1d51e}az\u{1d538}AB\u{1d53b}DG\u{1d540}IM\
    \u{1d546}OO\u{1d54a}SY\u{1d552}az\u{1d56c}AZ\u{1d586}az\u{1d5a0}AZ\u{1d5ba}az\u{1d5d4}AZ\
    \u{1d5ee}az\u{1d608}AZ\u{1d622}az\u{1d63c}AZ\u{1d656}az\u{1d670}AZ\u{1d68a}az\u{1d7ce}09\
    \u{1d7d8}09\u{1d7e2}09\u{1d7ec}09\u{1d7f6}09\u{1f12b}CC\u{1f12c}RR\u{1f130}AZ\u{1fbf0}09";

/// Characters that become several: each is followed by its replacement. Unicode 17.
const LIGATURES: &str = "\
    \u{132}IJ\u{133}ij\u{1c7}LJ\u{1c8}Lj\u{1c9}lj\u{1ca}NJ\u{1cb}Nj\u{1cc}nj\u{1f1}DZ\u{1f2}Dz\
    \u{1f3}dz\u{2025}..\u{2026}...\u{20a8}Rs\u{2116}No\u{2120}SM\u{2121}TEL\u{2122}TM\u{213b}FAX\
    \u{2161}II\u{2162}III\u{2163}IV\u{2165}VI\u{2166}VII\u{2167}VIII\u{2168}IX\u{216a}XI\
    \u{216b}XII\u{2171}ii\u{2172}iii\u{2173}iv\u{2175}vi\u{2176}vii\u{2177}viii\u{2178}ix\
    \u{217a}xi\u{217b}xii\u{2469}10\u{246a}11\u{246b}12\u{246c}13\u{246d}14\u{246e}15\u{246f}16\
    \u{2470}17\u{2471}18\u{2472}19\u{2473}20\u{2488}1.\u{2489}2.\u{248a}3.\u{248b}4.\u{248c}5.\
    \u{248d}6.\u{248e}7.\u{248f}8.\u{2490}9.\u{2491}10.\u{2492}11.\u{2493}12.\u{2494}13.\
    \u{2495}14.\u{2496}15.\u{2497}16.\u{2498}17.\u{2499}18.\u{249a}19.\u{249b}20.\u{3250}PTE\
    \u{3251}21\u{3252}22\u{3253}23\u{3254}24\u{3255}25\u{3256}26\u{3257}27\u{3258}28\u{3259}29\
    \u{325a}30\u{325b}31\u{325c}32\u{325d}33\u{325e}34\u{325f}35\u{32b1}36\u{32b2}37\u{32b3}38\
    \u{32b4}39\u{32b5}40\u{32b6}41\u{32b7}42\u{32b8}43\u{32b9}44\u{32ba}45\u{32bb}46\u{32bc}47\
    \u{32bd}48\u{32be}49\u{32bf}50\u{32cc}Hg\u{32cd}erg\u{32ce}eV\u{32cf}LTD\u{3371}hPa\u{3372}da\
    \u{3373}AU\u{3374}bar\u{3375}oV\u{3376}pc\u{3377}dm\u{3378}dm2\u{3379}dm3\u{337a}IU\u{3380}pA\
    \u{3381}nA\u{3383}mA\u{3384}kA\u{3385}KB\u{3386}MB\u{3387}GB\u{3388}cal\u{3389}kcal\u{338a}pF\
    \u{338b}nF\u{338e}mg\u{338f}kg\u{3390}Hz\u{3391}kHz\u{3392}MHz\u{3393}GHz\u{3394}THz\u{3396}ml\
    \u{3397}dl\u{3398}kl\u{3399}fm\u{339a}nm\u{339c}mm\u{339d}cm\u{339e}km\u{339f}mm2\u{33a0}cm2\
    \u{33a1}m2\u{33a2}km2\u{33a3}mm3\u{33a4}cm3\u{33a5}m3\u{33a6}km3\u{33a9}Pa\u{33aa}kPa\
    \u{33ab}MPa\u{33ac}GPa\u{33ad}rad\u{33b0}ps\u{33b1}ns\u{33b3}ms\u{33b4}pV\u{33b5}nV\u{33b7}mV\
    \u{33b8}kV\u{33b9}MV\u{33ba}pW\u{33bb}nW\u{33bd}mW\u{33be}kW\u{33bf}MW\u{33c2}a.m.\u{33c3}Bq\
    \u{33c4}cc\u{33c5}cd\u{33c7}Co.\u{33c8}dB\u{33c9}Gy\u{33ca}ha\u{33cb}HP\u{33cc}in\u{33cd}KK\
    \u{33ce}KM\u{33cf}kt\u{33d0}lm\u{33d1}ln\u{33d2}log\u{33d3}lx\u{33d4}mb\u{33d5}mil\u{33d6}mol\
    \u{33d7}PH\u{33d8}p.m.\u{33d9}PPM\u{33da}PR\u{33db}sr\u{33dc}Sv\u{33dd}Wb\u{33ff}gal\u{fb00}ff\
    \u{fb01}fi\u{fb02}fl\u{fb03}ffi\u{fb04}ffl\u{fb05}st\u{fb06}st\u{fe19}...\u{fe30}..\u{1f100}0.\
    \u{1f12d}CD\u{1f12e}WZ\u{1f14a}HV\u{1f14b}MV\u{1f14c}SD\u{1f14d}SS\u{1f14e}PPV\u{1f14f}WC\
    \u{1f16a}MC\u{1f16b}MD\u{1f16c}MR\u{1f190}DJ";

/// The text with its compatibility characters replaced.
#[cold]
pub(super) fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    let mut characters = text.chars();
    while let Some(c) = next(&mut characters) {
        let mut several = LIGATURES.chars();
        while next(&mut several).is_some_and(|it| it != c) {}
        match next(&mut several) {
            Some(first) if !c.is_ascii() => {
                let mut meant = Some(first);
                while let Some(each) = meant.filter(char::is_ascii) {
                    push(each, &mut plain);
                    meant = next(&mut several);
                }
            }
            Some(_) | None => push(one(c), &mut plain),
        }
    }
    plain
}

/// The replacement of one character; the character itself if it has none.
fn one(c: char) -> char {
    let mut runs = RUNS.chars();
    while let (Some(start), Some(first), Some(last)) =
        (next(&mut runs), next(&mut runs), next(&mut runs))
    {
        let offset = u32::from(c).wrapping_sub(u32::from(start));
        let meant = u32::from(first).saturating_add(offset);
        if meant <= u32::from(last) {
            return char::from_u32(meant).unwrap_or(c);
        }
    }
    c
}

/// Not inlined, since the code for decoding is longer than everything else here.
#[inline(never)]
fn next(characters: &mut Chars<'_>) -> Option<char> {
    characters.next()
}

#[inline(never)]
fn push(c: char, text: &mut String) {
    text.push(c);
}

#[cfg(test)]
mod tests;
