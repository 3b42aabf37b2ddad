//! Stories of field blocks, made by others, and what becomes of them when a block is missing.

use super::*;

/// A field block, and the fields that it holds.
type Block = (Vec<u8>, Vec<(String, String)>);

/// The blocks of one encoder, each with its fields, and the table's size where it is not the default.
struct Story {
    size: Option<u32>,
    blocks: Vec<Block>,
}

fn stories(name: &str) -> Vec<Story> {
    let path = format!("{}/fixtures/hpack/{name}.txt", env!("CARGO_MANIFEST_DIR"));
    let mut stories: Vec<Story> = Vec::new();
    for line in std::fs::read_to_string(path).unwrap().lines() {
        if line.starts_with('#') {
        } else if let Some(size) = line.strip_prefix("story") {
            let (size, blocks) = (size.trim().parse().ok(), Vec::new());
            stories.push(Story { size, blocks });
        } else if let Some(hex) = line.strip_prefix("block ") {
            let digits: Vec<u8> = hex.bytes().filter(|b| *b != b' ').collect();
            let byte = |two: &[u8]| u8::from_str_radix(std::str::from_utf8(two).unwrap(), 16).unwrap();
            let block = digits.chunks(2).map(byte).collect();
            stories.last_mut().unwrap().blocks.push((block, Vec::new()));
        } else {
            let colon = 1 + line[1..].find(": ").unwrap();
            let field = (line[..colon].to_owned(), line[colon + 2..].to_owned());
            stories.last_mut().unwrap().blocks.last_mut().unwrap().1.push(field);
        }
    }
    assert!(!stories.is_empty());
    stories
}

const ALL: [&str; 3] = ["rfc7541-appendix-c", "nghttp2", "python-hpack"];

fn owned(field: Field<'_>) -> (Option<String>, Option<String>) {
    let text = |bytes: Option<&[u8]>| bytes.map(|bytes| String::from_utf8(bytes.to_vec()).unwrap());
    (text(field.name), text(field.value))
}

type Known = Vec<(Option<String>, Option<String>)>;

fn read(decoder: &mut Decoder, block: &[u8]) -> Result<Known, Malformed> {
    let mut fields = Vec::new();
    let used = decoder.read(block, |field| fields.push(owned(field)))?;
    decoder.end_block();
    assert_eq!(used, block.len());
    Ok(fields)
}

fn all_known(fields: &[(String, String)]) -> Known {
    fields.iter().cloned().map(|(n, v)| (Some(n), Some(v))).collect()
}

fn decoder(story: &Story) -> Decoder {
    let mut decoder = Decoder::new(1 << 16);
    if let Some(size) = story.size {
        decoder.table.resize(size);
    }
    decoder
}

#[test]
fn rfc7541_appendix_c_and_what_other_encoders_make() {
    for story in ALL.iter().flat_map(|name| stories(name)) {
        let mut decoder = decoder(&story);
        for (block, fields) in &story.blocks {
            assert_eq!(read(&mut decoder, block), Ok(all_known(fields)));
        }
    }
}

#[test]
fn a_block_in_any_pieces() {
    for story in ALL.iter().flat_map(|name| stories(name)) {
        let mut decoder = decoder(&story);
        for (n, (block, fields)) in story.blocks.iter().enumerate() {
            let (mut rest, mut found) = (Vec::new(), Vec::new());
            for piece in block.chunks(1 + n % 7) {
                rest.extend_from_slice(piece);
                let used = decoder.read(&rest, |field| found.push(owned(field))).unwrap();
                rest.drain(..used);
            }
            decoder.end_block();
            assert!(rest.is_empty());
            assert_eq!(found, all_known(fields));
        }
    }
}

#[test]
fn without_the_first_blocks_nothing_false_is_said_and_literals_are_known() {
    let mut known = 0;
    for story in ALL.iter().flat_map(|name| stories(name)) {
        for from in 1..story.blocks.len() {
            let mut decoder = decoder(&story);
            for (block, _) in &story.blocks[..from / 2] {
                read(&mut decoder, block).unwrap();
            }
            decoder.forget();
            assert!(!decoder.is_known());
            for (block, fields) in &story.blocks[from..] {
                let found = read(&mut decoder, block).unwrap();
                assert_eq!(found.len(), fields.len());
                for ((name, value), (true_name, true_value)) in found.iter().zip(fields) {
                    assert!(name.as_ref().is_none_or(|name| name == true_name));
                    assert!(value.as_ref().is_none_or(|value| value == true_value));
                    known += usize::from(name.is_some() && value.is_some());
                }
            }
        }
    }
    assert!(known > 10_000, "{known}");
}

#[test]
fn a_table_larger_than_is_kept_is_kept_in_part() {
    for story in ALL.iter().flat_map(|name| stories(name)) {
        let mut decoder = Decoder::new(100);
        for (block, fields) in &story.blocks {
            let found = read(&mut decoder, block).unwrap();
            for ((name, value), (true_name, true_value)) in found.iter().zip(fields) {
                assert!(name.as_ref().is_none_or(|name| name == true_name));
                assert!(value.as_ref().is_none_or(|value| value == true_value));
            }
            assert!(decoder.table.cost() < 2000);
        }
    }
}

#[test]
fn it_agrees_with_httlib_hpack_about_blocks_that_were_damaged() {
    let mut agreed = [0; 2];
    for story in ALL.iter().flat_map(|name| stories(name)) {
        for (n, (block, _)) in story.blocks.iter().enumerate() {
            for at in 0..block.len() {
                let mut block = block.clone();
                block[at] ^= 1 << ((at + n) % 8);
                let mut decoder = Decoder::new(1 << 16);
                let mut fields = Vec::new();
                let used = decoder.read(&block, |field| {
                    fields.extend(field.name.map(<[u8]>::to_vec).zip(field.value.map(<[u8]>::to_vec)));
                });
                // Blocks that are cut make it panic, and it keeps tables of any size.
                let whole = used == Ok(block.len()) && decoder.is_known();
                agreed[usize::from(whole)] += 1;
                if whole {
                    let mut theirs = httlib_hpack::Decoder::with_dynamic_size(1 << 16);
                    let (mut rest, mut their_fields) = (block.clone(), Vec::new());
                    theirs.decode(&mut rest, &mut their_fields).unwrap();
                    let their_fields = their_fields.into_iter().map(|(name, value, _)| (name, value));
                    assert_eq!(fields, their_fields.collect::<Vec<_>>(), "{block:02x?}");
                }
            }
        }
    }
    assert!(agreed.iter().all(|count| *count > 100), "{agreed:?}");
}

#[test]
fn rfc7541_5_1_integers() {
    // C.1.1 to C.1.3.
    for (bytes, bits, value) in [(&[0x0a][..], 5, 10), (&[0x1f, 0x9a, 0x0a], 5, 1337), (&[0x2a], 8, 42)] {
        for cut in 0..bytes.len() {
            assert_eq!(integer(&mut &bytes[..cut], bits), Ok(None));
        }
        let mut rest = bytes;
        assert_eq!(integer(&mut rest, bits), Ok(Some(value)));
        assert!(rest.is_empty());
    }
    assert_eq!(
        integer(&mut &[0xff, 0x80, 0x80, 0x80, 0x80, 0x80][..], 7),
        Err(Malformed::Integer)
    );
}

#[test]
fn what_is_malformed() {
    for (block, why) in [
        (&[0x80][..], Malformed::Index),
        (&[0xbe], Malformed::Index),
        (&[0x7e, 0x00], Malformed::Index),
        (&[0xff, 0xff, 0xff, 0xff, 0xff, 0x7f], Malformed::Integer),
        (&[0x00, 0x81, 0x00, 0x00], Malformed::Huffman),
        (&[0x82, 0x20], Malformed::TableSize),
    ] {
        assert_eq!(read(&mut Decoder::new(4096), block), Err(why), "{block:02x?}");
    }
}

/// A block of one byte a field that names the largest entry again and again.
#[test]
fn a_bomb_is_not_unpacked_in_memory() {
    let mut bomb = vec![0x40, 0x01, b'a', 0x7f, 0xa1, 0x1e];
    bomb.extend(std::iter::repeat_n(b'x', 4000));
    bomb.extend(std::iter::repeat_n(0xbe, 60_000));
    let mut decoder = Decoder::new(1 << 16);
    let (mut fields, mut bytes) = (0, 0);
    let info = allocation_counter::measure(|| {
        let used = decoder.read(&bomb, |field| {
            fields += 1;
            bytes += field.value.map_or(0, <[u8]>::len);
        });
        assert_eq!(used, Ok(bomb.len()));
    });
    assert_eq!((fields, bytes), (60_001, 60_001 * 4000));
    assert!(info.bytes_max < 20_000, "{}", info.bytes_max);
}
